// The token of the client's user: where it comes from, how long it serves, what ends it (4.21 to 4.24).

#include "common/client/test_host.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

namespace pulsewire::client {
namespace {

using done = test_host::lines;

constexpr time_ms hour = 3'600'000;

options with_tokens() {
    options o = test_host::steady();
    o.tokens = true;
    return o;
}

std::string connect_with(const std::string& token) {
    return R"(send {"op":"connect","version":1,"session":"ada-session","binary":true,"token":")" + token +
           R"("})";
}
std::string refresh_with(int id, const std::string& token) {
    return R"(send {"op":"refresh","id":)" + std::to_string(id) + R"(,"token":")" + token + R"("})";
}

// A client whose connection is open, for an hour.
struct signed_in : test_host {
    explicit signed_in(std::uint64_t seed = 1) : test_host(with_tokens(), seed) {
        start();
        token("first");
        opened();
        welcome_user("ann", hour);
        done();
    }
    // Time passes until the machine asks for the next token, and no longer.
    void wait_for_question() {
        const std::uint32_t before = ask;
        for (int i = 0; i < 1'000 && ask == before; ++i) {
            pass(10'000);
            if (machine.current() == state::open) hears(R"({"op":"ping"})");
        }
        EXPECT_NE(ask, before);
    }
};

bool has(const done& lines, const std::string& text) {
    return std::any_of(lines.begin(), lines.end(), [&](const std::string& line) {
        return line.find(text) != std::string::npos;
    });
}

// --- the way to open ---

TEST(machine_token, is_asked_for_before_a_connection_is_opened_and_goes_with_connect) {
    test_host h(with_tokens());
    h.start();
    EXPECT_EQ(h.done(), (done{"is connecting by websocket, failures 0", "needs a token: connect"}));
    h.token("t1");
    EXPECT_EQ(h.done(), done{"open by websocket"});
    h.opened();
    EXPECT_EQ(h.done(), done{connect_with("t1")});
    h.welcome_user("ann", hour);
    EXPECT_EQ(h.done(), done{"is open by websocket as ann"});
}

TEST(machine_token, may_be_empty_which_is_nobodys_connection) {
    test_host h(with_tokens());
    h.start();
    h.token("");
    h.opened();
    EXPECT_TRUE(has(h.done(), R"(send {"op":"connect","version":1,"session":"ada-session","binary":true})"));
    h.welcome();
    h.pass(1'000);
    h.lost();
    h.pass(1'000);
    EXPECT_EQ(h.done().back(), "needs a token: connect") << "somebody may have signed in meanwhile";
}

TEST(machine_token, a_slow_one_holds_up_nothing_but_the_connection) {
    test_host h(with_tokens());
    h.start();
    h.publish("a");
    h.pass(24 * hour);
    h.online();
    EXPECT_EQ(h.done(), (done{"is connecting by websocket, failures 0", "needs a token: connect"}))
        << "one question, whatever happens";
    h.token("t1");
    EXPECT_EQ(h.done(), done{"open by websocket"});
}

TEST(machine_token, one_that_fails_is_asked_for_again_after_the_delay_of_a_failed_connection) {
    test_host h(with_tokens());
    h.start();
    h.done();
    h.token_fails();
    EXPECT_EQ(h.done(), done{"is waiting 1000 after 0, failures 1"});
    h.pass(1'000);
    EXPECT_EQ(h.done(), (done{"is connecting by websocket, failures 1", "needs a token: connect"}));
    h.token_fails();
    h.pass(1'000);
    EXPECT_EQ(h.done().back(), "needs a token: connect");
}

TEST(machine_token, failures_count_as_attempts) {
    options o = with_tokens();
    o.backoff.attempts_max = 2;
    test_host h(o);
    h.start();
    h.token_fails();
    h.pass(1'000);
    h.token_fails();
    EXPECT_EQ(h.done().back(), "is closed after 0");
}

TEST(machine_token, an_answer_to_an_earlier_question_means_nothing) {
    test_host h(with_tokens());
    h.start();
    const std::uint32_t first = h.ask;
    h.token_fails();
    h.pass(1'000);
    h.done();
    h.token_for(first, "late");
    h.token_for(0, "never asked");
    h.machine.token_failed(first, h.now);
    EXPECT_EQ(h.done(), done{});
    h.token("t2");
    h.token("t2 again");
    EXPECT_EQ(h.done(), done{"open by websocket"});
    h.stop();
    h.done();
    h.token("t3");
    h.token_fails();
    EXPECT_EQ(h.done(), done{});
}

TEST(machine_token, is_not_asked_for_where_the_host_has_none) {
    test_host h;
    h.start();
    h.opened();
    h.welcome_user("ann", 60'000);
    h.hears(R"({"op":"refresh_wanted","within_ms":0,"reason":"revoked"})");
    for (int i = 0; i < 20; ++i) {
        h.pass(10'000);
        h.hears(R"({"op":"ping"})");
    }
    EXPECT_FALSE(has(h.done(), "needs a token"));
}

// --- the next connection ---

TEST(machine_token, serves_the_next_connection_while_it_counts) {
    signed_in h;
    h.lost();
    h.pass(1'000);
    EXPECT_EQ(h.done().back(), "open by websocket")
        << "no question: a restart of the server is no storm for others";
    h.opened();
    EXPECT_EQ(h.done(), done{connect_with("first")});
}

TEST(machine_token, one_that_expires_within_seconds_is_not_connected_with) {
    test_host h(with_tokens());
    h.start();
    h.token("short");
    h.opened();
    h.welcome_user("ann", 11'500);
    h.lost();
    h.pass(1'000);
    EXPECT_EQ(h.done().back(), "open by websocket") << "10.5 seconds are left";
    h.lost();
    h.pass(1'000);
    EXPECT_EQ(h.done().back(), "needs a token: expired") << "9.5 seconds";
}

TEST(machine_token, one_that_expired_while_the_machine_slept_is_not_connected_with) {
    signed_in h;
    h.now += 2 * hour;  // the timer fires late
    h.ring();
    EXPECT_EQ(
        h.done(),
        (done{"needs a token: expiring", "close with 4001", "is waiting 1000 after 4001, failures 1"})
    );
    h.pass(1'000);
    h.done();
    h.token("second");
    EXPECT_EQ(h.done(), done{"open by websocket"}) << "one question for both";
    h.opened();
    EXPECT_EQ(h.done(), done{connect_with("second")});
}

TEST(machine_token, one_that_no_server_has_seen_is_taken_for_good_for_a_minute) {
    test_host h(with_tokens());
    h.start();
    h.token("t1");
    h.done();
    for (int i = 0; i < 50; ++i) {
        h.lost();
        h.pass(1'000);
    }
    EXPECT_FALSE(has(h.done(), "needs a token"));
    for (int i = 0; i < 10; ++i) {
        h.lost();
        h.pass(1'000);
    }
    EXPECT_EQ(h.done().back(), "needs a token: connect");
}

// --- the refresh (4.22) ---

TEST(machine_token, is_renewed_in_band_when_80_to_90_percent_of_its_time_have_passed) {
    std::set<time_ms> moments;
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        signed_in h(seed);
        const time_ms begin = h.now;
        while (h.ask == 1) {
            h.pass(1'000);
            if (h.now % 20'000 == 0) h.hears(R"({"op":"ping"})");
        }
        const time_ms after = h.now - begin;
        EXPECT_GE(after, hour * 80 / 100);
        EXPECT_LE(after, hour * 90 / 100 + 1'000);
        moments.insert(after);
        EXPECT_TRUE(has(h.done(), "needs a token: expiring"));
    }
    EXPECT_GT(moments.size(), 15u) << "clients that came together do not come back together";
}

TEST(machine_token, the_refreshed_one_counts_from_its_answer_and_serves_the_next_connection) {
    signed_in h;
    h.wait_for_question();
    h.done();
    h.token("second");
    EXPECT_EQ(h.done(), done{refresh_with(1, "second")});
    h.hears(R"({"op":"refreshed","id":1,"expires_in_ms":7200000})");
    const time_ms refreshed = h.now;
    h.wait_for_question();
    EXPECT_GE(h.now - refreshed, 2 * hour * 80 / 100);
    h.lost();
    h.pass(1'000);
    h.opened();
    EXPECT_EQ(h.done().back(), connect_with("second"));
}

TEST(machine_token, that_never_expires_is_never_renewed) {
    test_host h(with_tokens());
    h.start();
    h.token("t1");
    h.opened();
    h.hears(R"({"op":"welcome","session":"ada-session","user":"ann","ping_ms":25000,"pong_ms":8000})");
    h.done();
    for (int i = 0; i < 1'000; ++i) {
        h.pass(20'000);
        h.hears(R"({"op":"ping"})");
    }
    EXPECT_FALSE(has(h.done(), "needs"));
}

TEST(machine_token, that_counts_for_no_time_is_not_renewed_without_a_pause) {
    test_host h(with_tokens());
    h.start();
    for (int i = 0; i < 5; ++i) h.token("t");
    h.opened();
    h.welcome_user("ann", 1);
    h.done();
    h.pass(999);
    EXPECT_EQ(h.done(), done{});
    h.pass(1);
    EXPECT_EQ(h.done(), done{"needs a token: expiring"});
}

TEST(machine_token, a_failure_while_open_leaves_the_connection_alone_and_is_tried_again) {
    signed_in h;
    h.wait_for_question();
    h.done();
    h.token_fails();
    EXPECT_EQ(h.done(), done{});
    h.pass(1'000);
    EXPECT_EQ(h.done(), done{"needs a token: expiring"});
    h.token("second");
    EXPECT_EQ(h.done(), done{refresh_with(1, "second")});
}

TEST(machine_token, that_a_refresh_was_refused_for_is_not_used_again) {
    for (const std::string code : {"unauthorized", "forbidden"}) {
        signed_in h;
        h.wait_for_question();
        h.token("bad");
        h.hears(R"({"op":"error","id":1,"code":")" + code + R"(","message":"no"})");
        EXPECT_EQ(h.done().back(), refresh_with(1, "bad")) << "the connection goes on";
        h.lost();
        h.pass(1'000);
        EXPECT_EQ(h.done().back(), "needs a token: refused");
    }
}

TEST(machine_token, a_refused_refresh_asks_for_another_one) {
    signed_in h;
    h.wait_for_question();
    h.token("bad");
    h.hears(R"({"op":"refreshed","id":7,"expires_in_ms":3600000})");
    h.hears(R"({"op":"error","id":1,"code":"unauthorized","message":"no"})");
    h.done();
    h.pass(1'000);
    EXPECT_EQ(h.done(), done{"needs a token: refused"});
    h.token("good");
    EXPECT_EQ(h.done(), done{refresh_with(2, "good")});
}

TEST(machine_token, an_answer_that_comes_between_connections_serves_the_next_one) {
    signed_in h;
    h.wait_for_question();
    h.lost();
    h.token("second");
    h.done();
    h.pass(1'000);
    h.opened();
    EXPECT_EQ(h.done().back(), connect_with("second"));
    h.welcome_user("ann", hour);
    EXPECT_EQ(h.done(), done{"is open by websocket as ann"}) << "no refresh: connect had it";
}

TEST(machine_token, an_answer_that_comes_between_connect_and_welcome_serves_the_next_connection) {
    signed_in h;
    h.wait_for_question();
    h.lost();
    h.pass(1'000);
    h.opened();
    EXPECT_EQ(h.done().back(), connect_with("first"));
    h.token("second");
    EXPECT_EQ(h.done(), done{});
    h.welcome_user("ann", 500'000);
    EXPECT_EQ(h.done(), done{"is open by websocket as ann"});
    h.lost();
    h.pass(1'000);
    h.opened();
    EXPECT_EQ(h.done().back(), connect_with("second"));
}

TEST(machine_token, a_connection_that_needs_the_token_that_is_asked_for_already_asks_no_second_time) {
    signed_in h;
    h.wait_for_question();
    h.pass(hour);  // nobody answers, and the silence ends the connection
    EXPECT_NE(h.machine.current(), state::open);
    h.pass(60'000);
    EXPECT_EQ(h.ask, 2u);
    h.done();
    h.token("second");
    EXPECT_EQ(h.done(), done{"open by websocket"});
}

TEST(machine_token, of_a_planned_hand_over_is_asked_for_while_the_old_connection_serves) {
    signed_in h;
    h.wait_for_question();
    h.now += 12 * 60'000;
    h.hears(R"({"op":"drain","after_ms":0})");
    h.pass(10);
    h.done();
    EXPECT_EQ(h.machine.current(), state::open);
    h.token("second");
    EXPECT_EQ(h.done(), done{"open by websocket"});
    h.opened();
    EXPECT_EQ(h.done(), done{connect_with("second")});
}

TEST(machine_token, that_came_during_a_hand_over_which_fails_is_shown_on_the_connection_that_goes_on) {
    signed_in h;
    h.wait_for_question();
    h.hears(R"({"op":"drain","after_ms":0})");
    h.pass(10);
    EXPECT_EQ(h.done().back(), "open by websocket");
    h.token("second");
    EXPECT_EQ(h.done(), done{}) << "the next connection takes it along";
    h.lost();
    EXPECT_EQ(h.done(), done{refresh_with(1, "second")});
    h.pass(9'000);
    EXPECT_EQ(h.ask, 2u) << "there is one that was not answered yet";
}

// --- the end of a token ---

TEST(machine_token, that_expired_on_the_server_never_goes_there_again) {
    for (const bool frame : {true, false}) {
        signed_in h;
        if (frame)
            h.hears(R"({"op":"close","code":4004,"reconnect":true,"message":"the token has expired"})");
        if (!frame) h.lost(4004);
        EXPECT_TRUE(has(h.done(), "is waiting 1000 after 4004"));
        h.pass(1'000);
        EXPECT_EQ(h.done(), (done{"is connecting by websocket, failures 1", "needs a token: expired"}));
        h.pass(hour);
        EXPECT_EQ(h.done(), done{}) << "no connection without a new one";
        h.token("second");
        h.opened();
        EXPECT_EQ(h.done(), (done{"open by websocket", connect_with("second")}));
    }
}

TEST(machine_token, that_was_revoked_is_told_as_such) {
    signed_in h;
    h.hears(R"({"op":"close","code":4004,"reconnect":true,"reason":"revoked","message":"m"})");
    h.pass(1'000);
    EXPECT_EQ(h.done().back(), "needs a token: revoked");
}

TEST(machine_token, that_is_revoked_with_notice_is_replaced_in_band_at_a_random_moment) {
    std::set<time_ms> moments;
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
        signed_in h(seed);
        const time_ms told = h.now;
        h.hears(R"({"op":"refresh_wanted","within_ms":20000,"reason":"revoked"})");
        while (h.ask == 1 && h.now < told + 20'000) h.pass(100);
        EXPECT_LE(h.now - told, 10'100) << "half of the time is left for the answer";
        moments.insert(h.now - told);
        EXPECT_EQ(h.done().back(), "needs a token: revoked");
        h.token("second");
        EXPECT_EQ(h.done(), done{refresh_with(1, "second")});
    }
    EXPECT_GT(moments.size(), 5u);
}

TEST(machine_token, that_was_revoked_with_notice_stays_revoked_when_the_connection_ends) {
    signed_in h;
    h.hears(R"({"op":"refresh_wanted","within_ms":2,"reason":"revoked"})");
    h.pass(1);
    EXPECT_EQ(h.done(), done{"needs a token: revoked"});
    h.token_fails();
    h.lost(4004);
    h.pass(1'000);
    EXPECT_EQ(h.done().back(), "needs a token: revoked");
}

TEST(machine_token, a_refusal_of_one_that_the_host_has_just_made_is_final) {
    test_host h(with_tokens());
    h.start();
    h.token("t1");
    h.opened();
    h.hears(R"({"op":"close","code":4502,"reconnect":false,"message":"no"})");
    EXPECT_EQ(h.done().back(), "is closed after 4502 no");
}

TEST(machine_token, a_refusal_of_one_that_was_kept_asks_for_another_one) {
    // The keys were rotated, or the machine slept without noticing.
    signed_in h;
    h.lost();
    h.pass(1'000);
    h.opened();
    h.hears(R"({"op":"close","code":4502,"reconnect":false,"message":"no"})");
    EXPECT_EQ(h.done().back(), "is waiting 1000 after 4502 no, failures 2");
    h.pass(1'000);
    EXPECT_EQ(h.done().back(), "needs a token: refused");
    h.token("second");
    h.opened();
    h.lost(4502);
    EXPECT_EQ(h.done().back(), "is closed after 4502") << "the new one is not valid either";
}

TEST(machine_token, an_answer_that_may_be_older_than_the_loss_is_not_wanted_any_more) {
    signed_in h;
    h.wait_for_question();
    const std::uint32_t before = h.ask;
    h.lost(4004);
    h.pass(1'000);
    EXPECT_EQ(h.done().back(), "needs a token: expired");
    h.token_for(before, "made before the revocation");
    EXPECT_EQ(h.done(), done{});
    h.token("made after it");
    EXPECT_EQ(h.done(), done{"open by websocket"});
}

TEST(machine_token, an_answer_that_may_be_older_than_a_revocation_with_notice_is_not_wanted_any_more) {
    signed_in h;
    h.wait_for_question();
    h.hears(R"({"op":"refresh_wanted","within_ms":2,"reason":"revoked"})");
    h.done();
    h.token("made before the revocation");
    EXPECT_EQ(h.done(), done{});
    h.pass(1);
    EXPECT_EQ(h.done(), done{"needs a token: revoked"});
}

TEST(machine_token, the_open_question_is_withdrawn_when_its_answer_may_be_older_than_the_loss) {
    for (const std::uint16_t code : {4004, 4502}) {
        signed_in h;
        h.wait_for_question();
        h.done();
        h.lost(code);
        EXPECT_EQ(
            h.done(),
            (done{
                "needs that token no more", "is waiting 1000 after " + std::to_string(code) + ", failures 1"})
        );
    }
    signed_in h;
    h.wait_for_question();
    h.done();
    h.hears(R"({"op":"refresh_wanted","within_ms":2000,"reason":"revoked"})");
    EXPECT_EQ(h.done(), done{"needs that token no more"});
    h.lost();
    EXPECT_FALSE(has(h.done(), "no more")) << "none is open";
}

TEST(machine_token, without_one_a_refusal_is_final) {
    test_host h(with_tokens());
    h.start();
    h.token("");
    h.opened();
    h.lost(4502);
    EXPECT_EQ(h.done().back(), "is closed after 4502");
}

TEST(machine_token, of_another_user_ends_the_client_before_anything_is_sent_under_that_name) {
    signed_in h;
    h.publish("a");
    h.lost(4004);
    h.pass(1'000);
    h.token("second");
    h.opened();
    h.done();
    h.welcome_user("bob", hour);
    EXPECT_EQ(h.done(), (done{"close with 1000", "failed 1: closed", "is closed after 4502"}));
}

// --- permissions and names (4.23, 4.24) ---

TEST(machine_token, a_permission_that_is_lost_ends_the_subscription_and_nothing_of_it_follows) {
    signed_in h;
    const std::uint32_t id = h.subscribe_at("a", 5);
    const std::uint32_t other = h.subscribe_at("b", 5);
    h.hears(R"({"op":"unsubscribed","channel":"a","reason":"forbidden"})");
    EXPECT_EQ(h.done(), done{"refused to " + std::to_string(id) + ": forbidden "});
    h.hears(R"({"type":"t","channel":"a","offset":6,"time":1,"payload":1})");
    EXPECT_EQ(h.machine.publication(h.attempt, "a", 6, 50, h.now), 0);
    h.hears(R"({"op":"join","channel":"a","session":"s","payload":1})");
    EXPECT_EQ(h.done(), done{});
    h.lost();
    h.pass(1'000);
    h.opened();
    h.done();
    h.welcome_user("ann", hour);
    EXPECT_EQ(h.done().size(), 2u) << "only the other one is subscribed again";
    EXPECT_EQ(h.machine.publication(h.attempt, "b", 6, 50, h.now), 0);
    EXPECT_NE(other, id);
}

TEST(machine_token, a_permission_that_is_lost_before_the_subscribe_was_answered_ends_it_too) {
    signed_in h;
    h.subscribe("a");
    h.done();
    h.hears(R"({"op":"unsubscribed","channel":"a","reason":"forbidden"})");
    EXPECT_EQ(h.done(), done{"refused to 1: forbidden "});
    h.hears(R"({"op":"error","id":1,"code":"forbidden","message":"m"})");
    h.hears(R"({"op":"unsubscribed","channel":"a","reason":"forbidden"})");
    EXPECT_EQ(h.done(), done{});
}

TEST(machine_token, the_answer_to_an_unsubscribe_ends_nothing) {
    signed_in h;
    h.subscribe_at("a", 5);
    h.hears(R"({"op":"unsubscribed","id":7,"channel":"a"})");
    EXPECT_EQ(h.done(), done{});
    EXPECT_NE(h.machine.publication(h.attempt, "a", 6, 50, h.now), 0);
}

TEST(machine_token, users_are_told_with_what_they_did) {
    signed_in h;
    h.subscribe_at("a", 5);
    h.hears(R"({"type":"t","channel":"a","offset":6,"time":1,"user":"bob","payload":1})");
    h.hears(
        R"({"op":"join","channel":"a","session":"s","user":"bob","user_info":{"name":"B \"}\"","a":{}},"payload":{"x":1}})"
    );
    h.hears(
        R"({"op":"request","request":3,"channel":"a","from":"s","user":"bob","type":"led","timeout_ms":9,"payload":1})"
    );
    EXPECT_EQ(
        h.done(), (done{
                      "deliver to 1: t of bob at 6 1",
                      R"(joined to 1: s of bob who shows {"name":"B \"}\"","a":{}} {"x":1})",
                      "asked to 1: 3 s led of bob 1"})
    );
}

TEST(machine_token, brings_channels_that_the_server_wants_it_to_have) {  // 4.26
    signed_in h;
    h.hears(R"({"op":"subscribe","channel":"news"})");
    EXPECT_EQ(h.done(), done{"offered news"});
    h.subscribe("news");
    h.done();
    h.hears(R"({"op":"subscribe","channel":"news"})");
    EXPECT_EQ(h.done(), done{}) << "it has that one";
}

}  // namespace
}  // namespace pulsewire::client
