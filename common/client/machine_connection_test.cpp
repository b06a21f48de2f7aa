// The machine's connection: states, transports, heartbeats, the end of it and the way back.

#include "common/client/test_host.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace pulsewire::client {
namespace {

using done = test_host::lines;

const std::string connect_frame =
    R"(send {"op":"connect","version":1,"session":"ada-session","binary":true})";

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

// Otherwise the server would list it in presence until TCP gives up, a quarter of an hour later.
TEST(machine_connection, answers_pings_of_a_stream_and_says_so_when_it_connects) {
    options o = test_host::steady();
    o.transports = transport_choice::sse;
    test_host h(o);
    h.start();
    h.opened();
    EXPECT_EQ(h.done().back(), R"(send {"op":"connect","version":1,"session":"ada-session","pongs":true})");
    h.hears(R"({"op":"welcome","ping_ms":25000,"pong_ms":8000,"message_bytes_max":65536})");
    h.done();
    h.hears(R"({"op":"ping"})");
    EXPECT_EQ(h.done(), done{R"(send {"op":"pong"})"});
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

// Something on the way ends the connection at one message, whenever it comes.
TEST(machine_connection, short_lives_lead_to_sse_with_any_code_that_the_server_did_not_tell) {
    for (const std::uint16_t code : {1001, 1008, 1009, 1011}) {
        test_host h;
        h.become_open();
        h.pass(60'000);
        h.hears(R"({"op":"ping"})");
        h.lost(code);
        for (int i = 0; i < 3; ++i) {
            h.become_open();
            EXPECT_EQ(h.machine.current_transport(), transport::websocket) << code;
            h.lost(code);
        }
        h.pass(1'000);
        EXPECT_EQ(h.done().back(), "open by sse") << code;
    }
}

TEST(machine_connection, so_do_connections_on_which_nothing_is_answered) {
    test_host h;
    h.subscribe("a");
    for (int i = 0; i < 3; ++i) {
        h.become_open();
        EXPECT_EQ(h.machine.current_transport(), transport::websocket);
        h.pass(10'000);
        EXPECT_EQ(h.machine.current(), state::waiting);
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

}  // namespace
}  // namespace pulsewire::client
