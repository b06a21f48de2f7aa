// The machine's connection: states, transports, heartbeats, the end of it and the way back.

#include "common/client/test_host.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <utility>
#include <vector>

namespace pulsewire::client {
namespace {

using done = test_host::lines;

const std::string connect_frame = R"(send {"op":"connect","version":1,"session":"ada-session"})";

// --- the way to open (4.1) ---

TEST(machine_connection, opens_a_transport_says_connect_and_is_open_with_the_welcome) {
    test_host h;
    EXPECT_EQ(h.machine.current(), state::idle);
    h.start();
    EXPECT_EQ(h.done(), (done{"is connecting by websocket, failures 0", "open by websocket"}));
    h.opened();
    EXPECT_EQ(h.done(), done{connect_frame});
    EXPECT_EQ(h.machine.current(), state::connecting);
    h.welcome();
    EXPECT_EQ(h.done(), done{"is open by websocket"});
    EXPECT_EQ(h.machine.current(), state::open);
}

TEST(machine_connection, starts_once) {
    test_host h;
    h.start();
    h.done();
    h.start();
    h.become_open();
    h.start();
    EXPECT_EQ(h.done(), done{});
}

TEST(machine_connection, learns_the_limits_of_the_server) {
    test_host h;
    EXPECT_EQ(h.machine.message_bytes_max(), 65'536u);
    h.start();
    h.opened();
    h.hears(R"({"op":"welcome","ping_ms":1000,"pong_ms":500,"message_bytes_max":1000000})");
    EXPECT_EQ(h.machine.message_bytes_max(), 1'000'000u);
    EXPECT_EQ(h.timer_due - h.now, 1'500) << "silence that is too long (4.15)";
}

TEST(machine_connection, a_second_welcome_means_nothing) {
    test_host h;
    h.become_open();
    h.welcome();
    EXPECT_EQ(h.done(), done{});
}

// --- the way back (9.1) ---

TEST(machine_connection, comes_back_after_a_delay_when_it_is_lost) {
    test_host h;
    h.become_open();
    h.lost(1006);
    EXPECT_EQ(h.done(), done{"is waiting 1000 after 1006, failures 1"});
    h.pass(999);
    EXPECT_EQ(h.done(), done{});
    h.pass(1);
    EXPECT_EQ(h.done(), (done{"is connecting by websocket, failures 1", "open by websocket"}));
    h.opened();
    EXPECT_EQ(h.done(), done{connect_frame});
    h.welcome();
    EXPECT_EQ(h.done(), done{"is open by websocket"});
}

TEST(machine_connection, tries_for_ever_and_tells_how_often_it_failed) {
    test_host h;
    h.start();
    h.done();
    for (int failures = 1; failures < 100; ++failures) {
        h.lost();
        EXPECT_EQ(h.done(), done{"is waiting 1000 after 1006, failures " + std::to_string(failures)});
        h.pass(1'000);
        EXPECT_EQ(h.machine.current(), state::connecting);
        h.done();
    }
}

TEST(machine_connection, counts_anew_after_a_stable_connection_only) {
    test_host h;
    h.become_open();
    h.pass(9'999);
    h.lost();
    h.become_open();
    h.pass(9'999);
    h.lost();
    EXPECT_EQ(h.done().back(), "is waiting 1000 after 1006, failures 2");
    h.become_open();
    h.pass(10'000);
    h.lost();
    EXPECT_EQ(h.done().back(), "is waiting 1000 after 1006, failures 1");
}

TEST(machine_connection, jitter_comes_from_the_seed) {
    const auto delays = [](std::uint64_t seed) {
        test_host h({}, seed);
        h.start();
        done all;
        for (int i = 0; i < 8; ++i) {
            h.lost();
            all.push_back(h.done().back());
            h.online();
        }
        return all;
    };
    EXPECT_EQ(delays(1), delays(1));
    EXPECT_NE(delays(1), delays(2));
}

TEST(machine_connection, gives_up_after_so_many_attempts_if_told_to) {
    options o = test_host::steady();
    o.backoff.attempts_max = 2;
    test_host h(o);
    const std::uint32_t waiting = h.publish("a");
    h.start();
    h.lost();
    h.pass(1'000);
    h.done();
    h.lost(1006);
    EXPECT_EQ(h.done(), (done{"failed " + std::to_string(waiting) + ": closed", "is closed after 1006"}));
}

TEST(machine_connection, a_transport_that_brings_no_welcome_in_time_is_given_up) {
    for (const bool opens : {false, true}) {
        test_host h;
        h.start();
        if (opens) h.opened();
        h.done();
        h.pass(9'999);
        EXPECT_EQ(h.done(), done{});
        h.pass(1);
        EXPECT_EQ(h.done(), (done{"close with 4001", "is waiting 1000 after 4001, failures 1"}));
    }
}

TEST(machine_connection, news_of_an_older_transport_means_nothing) {
    test_host h;
    h.become_open();
    const std::uint32_t old = h.attempt;
    h.lost();
    h.online();
    h.done();
    h.machine.transport_opened(old, h.now);
    h.machine.line(old, "{\"op\":\"ping\"}", 13, h.now);
    h.machine.transport_closed(old, 1006, h.now);
    h.machine.line(h.attempt, "{\"op\":\"ping\"}", 13, h.now);  // not open yet
    EXPECT_TRUE(h.machine.actions().empty());
    h.opened();
    h.machine.transport_opened(h.attempt, h.now);
    EXPECT_TRUE(h.machine.actions().empty()) << "opened twice";
}

// --- close codes (7.1, 7.2) ---

TEST(machine_connection, the_close_code_says_whether_it_comes_back) {
    for (const std::uint16_t code : {999,  1001, 1002, 1003, 1005, 1006, 1007, 1008, 1009, 1011, 1012,
                                     1013, 1015, 3000, 4000, 4001, 4002, 4003, 4499, 5000, 0,    65535}) {
        test_host h;
        h.become_open();
        h.lost(code);
        EXPECT_EQ(h.done(), done{"is waiting 1000 after " + std::to_string(code) + ", failures 1"});
    }
    for (const std::uint16_t code : {1000, 4500, 4501, 4502, 4503, 4999}) {
        test_host h;
        h.become_open();
        h.lost(code);
        EXPECT_EQ(h.done(), done{"is closed after " + std::to_string(code)});
        h.pass(1'000'000);
        h.online();
        h.start();
        EXPECT_EQ(h.done(), done{}) << "for good";
    }
}

TEST(machine_connection, the_server_tells_why_it_ends_and_when_to_come_back) {
    test_host h;
    h.become_open();
    h.hears(R"({"op":"close","code":1012,"reconnect":true,"after_ms":1700,"message":"the server restarts"})");
    EXPECT_EQ(
        h.done(), (done{"close with 1000", "is waiting 1700 after 1012 the server restarts, failures 1"})
    );
    h.lost(1012);  // the close frame that follows
    h.pass(1'699);
    EXPECT_EQ(h.done(), done{});
    h.pass(1);
    EXPECT_EQ(h.machine.current(), state::connecting);
}

TEST(machine_connection, the_server_may_end_it_for_good) {
    test_host h;
    const auto waiting = h.publish("a");
    h.start();
    h.opened();
    h.done();
    h.hears(R"({"op":"close","code":4501,"reconnect":false,"message":"session must be \"longer\""})");
    EXPECT_EQ(
        h.done(), (done{
                      "close with 1000", "failed " + std::to_string(waiting) + ": closed",
                      R"(is closed after 4501 session must be \"longer\")"})
    );
}

TEST(machine_connection, a_close_without_a_moment_means_the_usual_delay) {
    test_host h;
    h.become_open();
    h.hears(R"({"op":"close","code":4000,"reconnect":true,"message":"slow"})");
    EXPECT_EQ(h.done().back(), "is waiting 1000 after 4000 slow, failures 1");
}

TEST(machine_connection, lines_behind_the_close_mean_nothing) {
    test_host h;
    h.become_open();
    h.subscribe_at("a", 0);
    h.hears(R"({"op":"close","code":1012,"reconnect":true})");
    h.done();
    h.hears(R"({"type":"t","channel":"a","offset":1,"payload":1})");
    EXPECT_EQ(h.done(), done{});
}

// --- heartbeats (4.15) ---

TEST(machine_connection, answers_pings_of_a_websocket) {
    test_host h;
    h.become_open();
    h.hears(R"({"op":"ping"})");
    EXPECT_EQ(h.done(), done{R"(send {"op":"pong"})"});
}

TEST(machine_connection, does_not_answer_pings_of_a_stream_where_each_answer_is_a_post) {
    options o = test_host::steady();
    o.transports = transport_choice::sse;
    test_host h(o);
    h.become_open();
    h.hears(R"({"op":"ping"})");
    EXPECT_EQ(h.done(), done{});
}

TEST(machine_connection, silence_means_it_is_lost) {
    test_host h;
    h.become_open();
    h.pass(32'999);
    EXPECT_EQ(h.done(), done{});
    h.pass(1);
    EXPECT_EQ(h.done(), (done{"close with 4001", "is waiting 1000 after 4001, failures 1"}));
}

TEST(machine_connection, whatever_arrives_ends_the_silence_without_setting_a_timer_each_time) {
    test_host h;
    h.become_open();
    const int timers = h.timers;
    for (int i = 0; i < 200; ++i) {
        h.pass(1'000);
        h.hears(R"({"op":"pong"})");
    }
    EXPECT_EQ(h.machine.current(), state::open);
    EXPECT_LT(h.timers - timers, 10);
    h.pass(33'000);
    EXPECT_EQ(h.machine.current(), state::waiting);
}

TEST(machine_connection, a_timer_that_rings_too_early_is_set_again) {
    test_host h;
    h.become_open();
    h.lost();
    for (int i = 0; i < 5; ++i) h.ring();
    EXPECT_EQ(h.machine.current(), state::waiting);
    EXPECT_EQ(h.timer_due - h.now, 1'000);
    h.pass(1'000);
    EXPECT_EQ(h.machine.current(), state::connecting);
}

TEST(machine_connection, a_timer_that_rings_hours_too_late_leads_back_too) {
    test_host h;
    h.become_open();
    h.now += 8 * 3'600'000;  // the lid was closed
    h.ring();
    EXPECT_EQ(h.done(), (done{"close with 4001", "is waiting 1000 after 4001, failures 1"}));
    h.now += 8 * 3'600'000;
    h.ring();
    EXPECT_EQ(h.machine.current(), state::connecting);
}

// --- news of the network ---

TEST(machine_connection, does_not_wait_when_the_network_is_back) {
    test_host h;
    h.become_open();
    h.lost();
    h.done();
    h.online();
    EXPECT_EQ(h.done(), (done{"is connecting by websocket, failures 1", "open by websocket"}));
    h.online();
    EXPECT_EQ(h.done(), done{}) << "it connects already";
}

TEST(machine_connection, asks_whether_an_open_connection_still_lives) {
    test_host h;
    h.become_open();
    h.online();
    EXPECT_EQ(h.done(), done{R"(send {"op":"ping"})"});
    h.pass(1'000);
    h.online();
    EXPECT_EQ(h.done(), done{}) << "one question is enough";
    h.hears(R"({"op":"pong"})");
    h.pass(10'000);
    EXPECT_EQ(h.done(), done{});
    h.online();
    h.done();
    h.pass(4'999);
    EXPECT_EQ(h.done(), done{});
    h.pass(1);
    EXPECT_EQ(h.done(), (done{"close with 4001", "is waiting 1000 after 4001, failures 1"}));
}

TEST(machine_connection, nothing_to_do_for_the_network_before_the_start) {
    test_host h;
    h.online();
    EXPECT_EQ(h.done(), done{});
}

// --- which transport ---

TEST(machine_connection, falls_back_to_sse_where_websocket_is_blocked_and_back) {
    test_host h;
    h.start();
    h.done();
    h.lost();
    h.pass(1'000);
    EXPECT_EQ(h.done().back(), "open by sse");
    h.opened();
    h.welcome();
    EXPECT_EQ(h.done().back(), "is open by sse");
    EXPECT_EQ(h.machine.current_transport(), transport::sse);
    for (int i = 0; i < 20; ++i) {
        h.pass(15'000);
        h.hears(R"({"op":"ping"})");
    }
    h.lost();
    h.pass(1'000);
    EXPECT_EQ(h.done().back(), "open by websocket") << "after five minutes it is worth another try";
}

TEST(machine_connection, falls_back_to_sse_where_websockets_open_and_nothing_passes) {
    test_host h;
    h.start();
    h.opened();
    h.pass(11'000);
    EXPECT_EQ(h.done().back(), "open by sse");
}

TEST(machine_connection, stays_with_websocket_when_the_server_is_down) {
    test_host h;
    h.become_open();
    h.pass(20'000);
    h.lost();
    for (int i = 0; i < 4; ++i) {
        h.pass(1'000);
        EXPECT_EQ(h.done().back(), "open by websocket") << i;
        h.lost();
    }
}

TEST(machine_connection, a_server_that_says_it_has_no_time_is_no_reason_to_leave_websocket) {
    test_host h;
    h.start();
    for (int i = 0; i < 5; ++i) {
        EXPECT_EQ(h.done().back(), "open by websocket");
        h.opened();
        h.hears(R"({"op":"close","code":1013,"reconnect":true,"message":"overloaded"})");
        h.pass(1'000);
    }
}

TEST(machine_connection, short_lives_lead_to_sse) {
    test_host h;
    for (int i = 0; i < 3; ++i) {
        h.become_open();
        EXPECT_EQ(h.machine.current_transport(), transport::websocket);
        h.pass(100);
        h.lost(1006);
    }
    h.pass(1'000);
    EXPECT_EQ(h.done().back(), "open by sse");
}

// --- lines that are none ---

TEST(machine_connection, garbage_ends_the_connection_and_it_comes_back) {
    for (const char* garbage :
         {"", "hello", "{", "{}", "{\"op\":5", "<html>502 Bad Gateway</html>", "{\"op\":\"pong\"} ",
          "\xff\xfe"}) {
        test_host h;
        h.become_open();
        h.hears(garbage);
        EXPECT_EQ(h.done(), (done{"close with 1002", "is waiting 1000 after 1002, failures 1"})) << garbage;
        h.become_open();
        EXPECT_EQ(h.machine.current(), state::open);
    }
}

TEST(machine_connection, frames_of_later_versions_are_ignored) {
    test_host h;
    h.become_open();
    h.hears(R"({"op":"stream","connection":"kT0v"})");
    h.hears(R"({"op":"news","x":true,"payload":{}})");
    EXPECT_EQ(h.done(), done{});
}

// --- stop ---

TEST(machine_connection, stops_in_every_state_for_good) {
    struct way {
        const char* name;
        void (*there)(test_host&);
        done told;
    };
    for (const way& w : std::vector<way>{
             {"idle", [](test_host&) {}, {"is closed after 1000"}},
             {"connecting", [](test_host& h) { h.start(); }, {"close with 1000", "is closed after 1000"}},
             {"opened",
              [](test_host& h) { h.start(), h.opened(); },
              {"close with 1000", "is closed after 1000"}},
             {"open", [](test_host& h) { h.become_open(); }, {"close with 1000", "is closed after 1000"}},
             {"waiting", [](test_host& h) { h.become_open(), h.lost(); }, {"is closed after 1000"}},
             {"closed", [](test_host& h) { h.stop(); }, {}}}) {
        test_host h;
        w.there(h);
        h.done();
        h.stop();
        EXPECT_EQ(h.done(), w.told) << w.name;
        EXPECT_EQ(h.machine.current(), state::closed);
        h.start();
        h.online();
        h.opened();
        h.hears(R"({"op":"ping"})");
        h.lost();
        h.pass(1'000'000);
        h.stop();
        EXPECT_EQ(h.done(), done{}) << w.name;
    }
}

TEST(machine_connection, what_waits_fails_when_it_stops) {
    test_host h;
    h.become_open();
    const auto first = h.publish("a"), second = h.request();
    h.subscribe("a");
    h.done();
    h.stop();
    EXPECT_EQ(
        h.done(), (done{
                      "close with 1000", "failed " + std::to_string(first) + ": closed",
                      "failed " + std::to_string(second) + ": closed", "is closed after 1000"})
    );
    const auto third = h.publish("a"),
               fourth = h.publish("a", {.echo = true, .transient = true, .timeout_ms = 0});
    EXPECT_EQ(
        h.done(),
        (done{"failed " + std::to_string(third) + ": closed", "failed " + std::to_string(fourth) + ": closed"}
        )
    );
}

// --- the server hands over to another (7.3) ---

class machine_handover : public ::testing::Test {
protected:
    machine_handover() {
        h.become_open();
        subscription = h.subscribe_at("a", 3);
        old_attempt = h.attempt;
        h.hears(R"({"op":"drain","after_ms":500})");
    }
    // What the old connection still brings.
    void old_hears(const std::string& line) {
        const std::uint32_t current = std::exchange(h.attempt, old_attempt);
        h.hears(line);
        h.attempt = current;
    }
    void old_lost() {
        const std::uint32_t current = std::exchange(h.attempt, old_attempt);
        h.lost();
        h.attempt = current;
    }
    std::string publication(int offset) {
        return R"({"type":"t","channel":"a","offset":)" + std::to_string(offset) +
               R"(,"time":1,"payload":1})";
    }
    std::string subscribe_frame(int id, int offset) {
        return R"(send {"op":"subscribe","id":)" + std::to_string(id) +
               R"(,"channel":"a","epoch":"x7Qa","offset":)" + std::to_string(offset) + "}";
    }

    test_host h;
    std::uint32_t subscription = 0, old_attempt = 0;
};

TEST_F(machine_handover, the_new_connection_is_up_before_the_old_one_closes) {
    EXPECT_EQ(h.done(), done{});
    h.pass(400);
    EXPECT_EQ(h.done(), done{}) << "its moment has not come";
    h.pass(200);
    EXPECT_EQ(h.done(), done{"open by websocket"});
    EXPECT_EQ(h.machine.current(), state::open);
    old_hears(publication(4));
    EXPECT_EQ(h.done(), done{"deliver to 1: t at 4 1"}) << "the old one still serves";
    h.opened();
    EXPECT_EQ(h.done(), (done{connect_frame, subscribe_frame(2, 4)}));
    h.welcome();
    EXPECT_EQ(h.done(), done{"close with 1000"});
    h.hears(
        R"({"op":"subscribed","id":2,"channel":"a","epoch":"x7Qa","offset":4,"replay":1,"recovered":true})"
    );
    h.hears(publication(5));
    EXPECT_EQ(h.done(), (done{"subscribed to 1: recovered x7Qa 4", "deliver to 1: t at 5 again 1"}));
    old_lost();
    EXPECT_EQ(h.done(), done{}) << "nobody cares any more";
    EXPECT_EQ(h.machine.current(), state::open);
}

TEST_F(machine_handover, what_is_unanswered_is_repeated_on_the_new_connection) {
    h.publish("a");
    h.request();
    h.done();
    h.pass(600);
    h.publish("a");
    EXPECT_EQ(h.done(), done{"open by websocket"});
    h.opened();
    const done said = h.done();
    ASSERT_EQ(said.size(), 4u) << "a request waits for its answer the old way";
    EXPECT_NE(said[2].find(R"("op":"publish","id":2)"), std::string::npos) << said[2];
    EXPECT_NE(said[3].find(R"("op":"publish","id":4)"), std::string::npos) << said[3];
}

TEST_F(machine_handover, the_old_connection_stays_for_the_answers_to_requests) {
    const auto first = h.request(), second = h.request(), third = h.request();
    h.pass(600);
    h.opened();
    h.done();
    old_hears(R"({"op":"response","id":)" + std::to_string(first) + R"(,"payload":1})");
    EXPECT_EQ(h.done(), done{"answered " + std::to_string(first) + ": 1"});
    h.welcome();
    EXPECT_EQ(h.done(), done{}) << "not closed yet";
    old_hears(publication(4));
    old_hears(R"({"op":"close","code":1012,"reconnect":true,"after_ms":1})");
    EXPECT_EQ(h.done(), done{}) << "all else comes the new way";
    old_hears(R"({"op":"error","id":)" + std::to_string(second) + R"(,"code":"rejected","message":"no"})");
    EXPECT_EQ(h.done(), done{"failed " + std::to_string(second) + ": rejected no"});
    old_hears(R"({"op":"response","id":)" + std::to_string(third) + R"(,"payload":3})");
    EXPECT_EQ(h.done(), (done{"answered " + std::to_string(third) + ": 3", "close with 1000"}));
    EXPECT_EQ(h.machine.current(), state::open);
}

TEST_F(machine_handover, the_old_connection_does_not_stay_for_longer_than_five_seconds) {
    const auto asked = h.request(60'000);
    h.pass(600);
    h.opened();
    h.welcome();
    h.done();
    h.pass(4'900);
    EXPECT_EQ(h.done(), done{});
    h.pass(200);
    EXPECT_EQ(h.done(), (done{"close with 1000", "failed " + std::to_string(asked) + ": disconnected"}));
    h.pass(60'000);
    EXPECT_EQ(h.done()[0], "close with 4001") << "nothing came for so long";
}

TEST_F(machine_handover, a_request_fails_when_the_old_connection_is_lost_before_its_answer) {
    const auto asked = h.request();
    h.pass(600);
    h.opened();
    h.welcome();
    h.done();
    old_lost();
    EXPECT_EQ(h.done(), done{"failed " + std::to_string(asked) + ": disconnected"});
    const auto again = h.request();
    h.done();
    h.lost();
    EXPECT_EQ(h.done()[0], "failed " + std::to_string(again) + ": disconnected");
}

// --- another address (7.1) ---

TEST(machine_connection, the_server_may_name_another_address_which_is_left_when_it_does_not_open) {
    test_host h;
    h.become_open();
    h.hears(R"({"op":"close","code":1012,"reconnect":true,"after_ms":5,"url":"wss://b.example.com"})");
    h.done();
    h.pass(10);
    EXPECT_EQ(
        h.done(), (done{"is connecting by websocket, failures 1", "open by websocket: wss://b.example.com"})
    );
    h.opened();
    h.welcome();
    h.lost();
    h.done();
    h.online();
    EXPECT_EQ(h.done().back(), "open by websocket: wss://b.example.com") << "as long as it opens";
    h.lost();
    h.done();
    h.online();
    EXPECT_EQ(h.done().back(), "open by websocket");
}

TEST_F(machine_handover, it_may_go_to_another_address) {
    h.hears(R"({"op":"drain","after_ms":1,"url":"wss://b.example.com"})");
    h.pass(600);
    EXPECT_EQ(h.done(), done{"open by websocket: wss://b.example.com"});
    h.lost();
    EXPECT_EQ(h.machine.current(), state::open) << "the old one goes on";
    old_hears(R"({"op":"drain","after_ms":1})");
    h.pass(600);
    EXPECT_EQ(h.done(), done{"open by websocket"}) << "there is no other that opens";
}

TEST_F(machine_handover, what_the_old_connection_was_too_slow_for_comes_over_the_new_one) {  // 5.4
    h.pass(600);
    h.done();
    old_hears(R"({"op":"gap","channel":"a","offset":6,"reason":"dropped"})");
    old_hears(publication(7));
    EXPECT_EQ(h.done(), (done{R"(send {"op":"unsubscribe","id":2,"channel":"a"})", subscribe_frame(3, 3)}))
        << "as long as there is nobody else to ask";
    h.opened();
    EXPECT_EQ(h.done(), (done{connect_frame, subscribe_frame(4, 3)}));
}

TEST_F(machine_handover, without_another_server_the_old_connection_goes_on) {
    h.pass(600);
    h.done();
    h.lost();
    EXPECT_EQ(h.done(), done{});
    h.attempt = old_attempt;
    h.hears(publication(4));
    EXPECT_EQ(h.done(), done{"deliver to 1: t at 4 1"});
    h.publish("a");
    EXPECT_EQ(h.done().size(), 1u) << "it can be sent again";
    h.hears(R"({"op":"close","code":1012,"reconnect":true,"after_ms":700})");
    EXPECT_EQ(h.done(), (done{"close with 1000", "is waiting 700 after 1012, failures 1"}));
}

TEST_F(machine_handover, what_waited_for_the_new_connection_takes_the_old_one_when_it_fails) {
    h.pass(600);
    h.publish("a");
    h.machine.subscribe("b", {}, h.now);
    EXPECT_EQ(h.done(), done{"open by websocket"});
    h.lost();
    const done said = h.done();
    ASSERT_EQ(said.size(), 2u);
    EXPECT_NE(said[0].find(R"("op":"subscribe","id":3,"channel":"b")"), std::string::npos) << said[0];
    EXPECT_NE(said[1].find(R"("op":"publish","id":2)"), std::string::npos) << said[1];
}

TEST_F(machine_handover, answers_count_on_the_old_connection_until_the_new_one_is_open) {
    h.publish("a");
    h.pass(600);
    h.done();
    old_hears(R"({"op":"published","id":2,"channel":"a","epoch":"x7Qa","offset":4})");
    EXPECT_EQ(h.done(), done{"published 2 at x7Qa 4"});
    old_hears(R"({"op":"ping"})");
    EXPECT_EQ(h.done(), done{R"(send {"op":"pong"})"});
    h.opened();
    EXPECT_EQ(h.done(), (done{connect_frame, subscribe_frame(3, 3)}));
}

TEST_F(machine_handover, nothing_is_sent_to_a_connection_that_is_not_open_yet) {
    h.pass(600);
    h.done();
    h.machine.unsubscribe(subscription, h.now);
    ASSERT_EQ(h.machine.actions().size(), 1u);
    EXPECT_EQ(h.machine.actions()[0].attempt, old_attempt);
}

TEST_F(machine_handover, the_old_connection_may_end_first) {
    h.pass(600);
    h.done();
    old_lost();
    h.opened();
    h.welcome();
    EXPECT_EQ(h.done(), (done{connect_frame, subscribe_frame(2, 3)}));
    EXPECT_EQ(h.machine.current(), state::open);
}

TEST_F(machine_handover, when_both_are_lost_it_waits_and_comes_back) {
    h.pass(600);
    h.done();
    old_lost();
    h.lost();
    EXPECT_EQ(h.done(), done{"is waiting 1000 after 1006, failures 1"});
    h.become_open();
    EXPECT_EQ(h.machine.current(), state::open);
}

TEST_F(machine_handover, a_new_connection_that_fails_after_it_opened_is_a_loss) {
    h.pass(600);
    h.opened();
    h.done();
    h.lost();
    EXPECT_EQ(h.done(), (done{"close with 1000", "is waiting 1000 after 1006, failures 1"}));
}

TEST_F(machine_handover, a_new_connection_that_never_answers_is_given_up) {
    h.pass(600);
    h.done();
    h.pass(test_host::steady().open_timeout_ms);
    EXPECT_EQ(
        h.done(), (done{"close with 4001", "close with 1000", "is waiting 1000 after 4001, failures 1"})
    );
}

TEST_F(machine_handover, the_end_closes_both) {
    h.pass(600);
    h.done();
    h.stop();
    EXPECT_EQ(h.done(), (done{"close with 1000", "close with 1000", "is closed after 1000"}));
}

TEST_F(machine_handover, a_connection_that_was_lost_before_its_moment_is_not_handed_over) {
    h.lost();
    h.done();
    h.become_open();
    h.done();
    h.pass(2'000);
    EXPECT_EQ(h.done(), done{});
}

}  // namespace
}  // namespace pulsewire::client
