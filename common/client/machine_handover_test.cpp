// The machine in a hand-over (protocol 7.3): the new connection is up before the old one closes.

#include "common/client/test_host.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace pulsewire::client {
namespace {

using done = test_host::lines;
using closed = std::vector<std::uint32_t>;

const std::uint32_t open_timeout_ms = test_host::steady().open_timeout_ms;

const std::string connect_frame =
    R"(send {"op":"connect","version":1,"session":"ada-session","binary":true})";

class machine_handover : public ::testing::Test {
protected:
    machine_handover() {
        h.become_open();
        subscription = h.subscribe_at("a", 3);
        old_attempt = h.attempt;
        h.hears(R"({"op":"drain","after_ms":500})");
    }
    // The old connection brings a line.
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
    EXPECT_EQ(h.done(), done{connect_frame});
    h.welcome();
    EXPECT_EQ(h.done(), (done{subscribe_frame(2, 4), "close with 1000"}));
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
    h.welcome();
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
    EXPECT_EQ(h.done(), done{subscribe_frame(5, 3)}) << "not closed yet";
    old_hears(publication(4));
    old_hears(R"({"op":"close","code":1012,"reconnect":true,"after_ms":1})");
    EXPECT_EQ(h.done(), done{}) << "all else comes the new way";
    old_hears(R"({"op":"error","id":)" + std::to_string(second) + R"(,"code":"rejected","message":"no"})");
    EXPECT_EQ(h.done(), done{"failed " + std::to_string(second) + ": rejected no"});
    old_hears(R"({"op":"response","id":)" + std::to_string(third) + R"(,"payload":3})");
    EXPECT_EQ(h.done(), (done{"answered " + std::to_string(third) + ": 3", "close with 1000"}));
    EXPECT_EQ(h.machine.current(), state::open);
}

TEST_F(machine_handover, what_another_client_asks_over_the_old_connection_answers_nothing) {
    const std::string asked = std::to_string(h.request());
    h.pass(600);
    h.opened();
    h.welcome();
    h.done();
    old_hears(
        R"({"op":"request","request":)" + asked +
        R"(,"channel":"a","from":"bob","type":"t","timeout_ms":1,"payload":1})"
    );
    old_hears(R"({"op":"cancel","request":)" + asked + R"(,"channel":"a"})");
    EXPECT_EQ(h.done(), done{}) << "the number is the old connection's own";
    old_hears(R"({"op":"response","id":)" + asked + R"(,"payload":2})");
    EXPECT_EQ(h.done(), (done{"answered " + asked + ": 2", "close with 1000"}));
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
    h.welcome();
    EXPECT_EQ(h.done(), (done{connect_frame, subscribe_frame(4, 3), "close with 1000"}));
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
    h.welcome();
    EXPECT_EQ(h.done(), (done{connect_frame, subscribe_frame(3, 3), "close with 1000"}));
}

TEST_F(machine_handover, a_transient_publish_waits_for_the_welcome_of_the_new_connection) {
    h.pass(600);
    h.opened();
    h.done();
    h.publish("a", {.echo = true, .transient = true});
    EXPECT_EQ(h.done(), done{});
    h.welcome();
    EXPECT_EQ(h.done()[1].find(R"(send {"op":"publish","id":2,"transient":true)"), 0u);
}

TEST_F(machine_handover, a_transient_publish_fails_with_a_connection_that_brings_no_welcome) {
    h.pass(600);
    h.opened();
    h.done();
    const auto lost = h.publish("a", {.echo = true, .transient = true});
    h.lost();
    EXPECT_EQ(h.done()[1], "failed " + std::to_string(lost) + ": disconnected");
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

TEST_F(machine_handover, a_new_connection_that_never_opens_is_given_up_and_the_old_one_goes_on) {
    h.pass(600);
    h.publish("a");
    EXPECT_EQ(h.done(), done{"open by websocket"});
    h.pass(open_timeout_ms - 200);
    EXPECT_EQ(h.done(), done{});
    h.pass(200);
    const done said = h.done();
    ASSERT_EQ(said.size(), 2u);
    EXPECT_EQ(said[0], "close with 4001");
    EXPECT_EQ(h.closed, closed{h.attempt});
    EXPECT_NE(said[1].find(R"("op":"publish","id":2)"), std::string::npos) << said[1];
    old_hears(publication(4));
    EXPECT_EQ(h.done(), done{"deliver to 1: t at 4 1"});
    EXPECT_EQ(h.machine.current(), state::open);
}

TEST_F(machine_handover, a_new_connection_that_opens_and_never_says_welcome_is_given_up) {
    h.pass(600);
    h.opened();
    h.done();
    h.pass(open_timeout_ms);
    EXPECT_EQ(
        h.done(), (done{"close with 4001", "close with 1000", "is waiting 1000 after 4001, failures 1"})
    );
    EXPECT_EQ(h.closed, (closed{h.attempt, old_attempt}));
}

// --- the old one ends while the new one opens ---

TEST_F(machine_handover, a_publish_that_the_old_connection_leaves_unanswered_ends_the_old_one_only) {
    h.publish("a");
    const done asked = h.done();
    h.hears(R"({"op":"drain","after_ms":9000})");
    h.pass(9'999);
    EXPECT_EQ(h.done(), done{"open by websocket"});
    h.pass(1);
    EXPECT_EQ(h.done(), done{"close with 4001"});
    EXPECT_EQ(h.closed, closed{old_attempt});
    h.pass(5'000);
    EXPECT_EQ(h.done(), done{});
    h.opened();
    h.welcome();
    EXPECT_EQ(h.done(), (done{connect_frame, subscribe_frame(3, 3), asked[0]})) << "repeated with its key";
    EXPECT_EQ(h.machine.current(), state::open) << "all the time";
}

TEST_F(machine_handover, a_subscribe_that_the_old_connection_leaves_unanswered_ends_the_old_one_only) {
    h.subscribe("b");
    h.hears(R"({"op":"drain","after_ms":9000})");
    h.pass(9'999);
    EXPECT_EQ(h.done().back(), "open by websocket");
    h.pass(1);
    EXPECT_EQ(h.done(), done{"close with 4001"});
    EXPECT_EQ(h.closed, closed{old_attempt});
    h.opened();
    h.welcome();
    EXPECT_EQ(
        h.done(),
        (done{connect_frame, subscribe_frame(3, 3), R"(send {"op":"subscribe","id":4,"channel":"b"})"})
    );
}

TEST_F(machine_handover, the_silence_of_the_old_connection_ends_the_old_one_only) {
    h.hears(R"({"op":"drain","after_ms":30000})");
    h.pass(32'999);
    EXPECT_EQ(h.done(), done{"open by websocket"});
    h.pass(1);
    EXPECT_EQ(h.done(), done{"close with 4001"});
    EXPECT_EQ(h.closed, closed{old_attempt});
    h.opened();
    h.welcome();
    EXPECT_EQ(h.done(), (done{connect_frame, subscribe_frame(2, 3)}));
    EXPECT_EQ(h.machine.current(), state::open);
}

TEST_F(machine_handover, a_probe_that_the_old_connection_leaves_unanswered_ends_the_old_one_only) {
    h.online();
    EXPECT_EQ(h.done(), done{R"(send {"op":"ping"})"});
    h.pass(4'999);
    EXPECT_EQ(h.done(), done{"open by websocket"});
    h.pass(1);
    EXPECT_EQ(h.done(), done{"close with 4001"});
    EXPECT_EQ(h.closed, closed{old_attempt});
    h.opened();
    h.welcome();
    EXPECT_EQ(h.done(), (done{connect_frame, subscribe_frame(2, 3)}));
}

TEST_F(machine_handover, garbage_on_the_old_connection_ends_the_old_one_only) {
    h.pass(600);
    h.done();
    old_hears("<html>502 Bad Gateway</html>");
    EXPECT_EQ(h.done(), done{"close with 1002"});
    EXPECT_EQ(h.closed, closed{old_attempt});
    h.opened();
    h.welcome();
    EXPECT_EQ(h.done(), (done{connect_frame, subscribe_frame(2, 3)}));
}

TEST_F(machine_handover, the_old_one_is_not_silent_when_it_is_heard_while_the_new_one_opens) {
    h.hears(R"({"op":"drain","after_ms":30000})");
    h.pass(31'000);
    h.lost();
    h.pass(1'000);
    EXPECT_EQ(h.done(), done{"open by websocket"});
    h.attempt = old_attempt;
    h.hears(R"({"op":"drain","after_ms":1})");
    h.pass(1'000);
    old_hears(R"({"op":"pong"})");
    h.lost();
    h.done();
    h.pass(32'999);
    EXPECT_EQ(h.done(), done{});
    h.pass(1);
    EXPECT_EQ(h.done(), (done{"close with 4001", "is waiting 1000 after 4001, failures 1"}));
}

TEST_F(machine_handover, what_went_the_old_way_is_settled_when_the_old_one_ends_first) {
    const auto published = h.publish("a"), asked = h.request();
    h.pass(600);
    h.done();
    old_lost();
    EXPECT_EQ(h.done(), done{"failed " + std::to_string(asked) + ": disconnected"})
        << "it cannot be answered";
    h.opened();
    h.welcome();
    const done said = h.done();
    ASSERT_EQ(said.size(), 3u) << "there is nothing to wait for";
    EXPECT_NE(said[2].find(R"("op":"publish","id":)" + std::to_string(published)), std::string::npos);
}

TEST_F(machine_handover, nothing_is_sent_when_the_old_one_has_ended_and_the_new_one_is_not_open) {
    const auto published = h.publish("a");
    h.pass(600);
    h.done();
    old_lost();
    h.unsubscribe(subscription);
    h.cancel(published);
    h.online();
    h.publish("a");
    EXPECT_EQ(h.done(), done{});
}

TEST_F(machine_handover, both_end_when_the_lid_was_closed_meanwhile) {
    h.pass(600);
    h.done();
    h.now += 8 * 3'600'000;
    h.ring();
    EXPECT_EQ(
        h.done(), (done{"close with 4001", "close with 4001", "is waiting 1000 after 4001, failures 1"})
    );
    EXPECT_EQ(h.closed, (closed{h.attempt, old_attempt}));
}

TEST_F(machine_handover, a_subscription_that_was_postponed_is_asked_for_when_it_is_due) {
    h.subscribe("b");
    h.hears(R"({"op":"error","id":2,"code":"overloaded","message":"later"})");
    h.pass(999);
    EXPECT_EQ(h.done().back(), "open by websocket");
    const int timers = h.timers;
    h.pass(2'000);
    const done said = h.done();
    ASSERT_EQ(said.size(), 1u) << "the old one still serves";
    EXPECT_NE(said[0].find(R"("op":"subscribe","id":3,"channel":"b")"), std::string::npos) << said[0];
    EXPECT_LT(h.timers - timers, 3);
}

// --- the end ---

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
