// Slow links, and messages that something on the way refuses by ending the connection.

#include "common/client/test_host.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace pulsewire::client {
namespace {

using done = test_host::lines;

const std::string heartbeat = R"({"op":"ping"})";

// Time passes in which the server lives: its heartbeats come through.
void pass_alive(test_host& h, time_ms ms) {
    for (; ms > 10'000; ms -= 10'000) {
        h.pass(10'000);
        h.hears(heartbeat);
    }
    h.pass(ms);
}

bool has(const done& lines, const std::string& wanted) {
    return std::find(lines.begin(), lines.end(), wanted) != lines.end();
}

std::string published(std::uint32_t id) {
    return R"({"op":"published","id":)" + std::to_string(id) + R"(,"epoch":"x7Qa","offset":1})";
}

TEST(machine_slow_link, a_large_message_has_the_time_that_it_takes_to_leave) {
    test_host h;
    h.become_open();
    h.publish("a", {}, 60'000);
    pass_alive(h, 65'000);
    EXPECT_EQ(h.machine.current(), state::open);
    pass_alive(h, 2'000);
    EXPECT_TRUE(has(h.done(), "close with 4001"));
}

TEST(machine_slow_link, a_small_message_has_no_more_time_than_before) {
    test_host h;
    h.become_open();
    h.publish("a");
    h.pass(9'999);
    EXPECT_EQ(h.machine.current(), state::open);
    h.pass(1);
    EXPECT_EQ(h.machine.current(), state::waiting);
}

TEST(machine_slow_link, what_waits_behind_others_has_their_time_as_well) {
    test_host h;
    h.become_open();
    std::vector<std::uint32_t> ids;
    for (int i = 0; i < 100; ++i) ids.push_back(h.publish("a", {}, 1'000));
    const std::uint32_t subscription = h.subscribe("b");
    h.done();
    // At two bytes in a millisecond, answers coming as their messages arrive.
    for (const std::uint32_t id : ids) {
        pass_alive(h, 500);
        h.hears(published(id));
    }
    EXPECT_EQ(h.machine.current(), state::open);
    EXPECT_FALSE(has(h.done(), "close with 4001"));
    EXPECT_NE(subscription, 0u);
}

TEST(machine_slow_link, the_time_ends_with_the_answer) {
    test_host h;
    h.become_open();
    const std::uint32_t large = h.publish("a", {}, 60'000);
    h.hears(published(large));
    h.publish("a");
    h.pass(10'000);
    EXPECT_EQ(h.machine.current(), state::waiting);
}

TEST(machine_slow_link, a_probe_waits_for_what_is_leaving) {
    test_host h;
    h.become_open();
    h.publish("a", {}, 20'000);
    h.online();
    h.pass(15'000);
    EXPECT_EQ(h.machine.current(), state::open);
}

TEST(machine_slow_link, a_message_that_is_never_answered_fails_and_the_others_go_on) {
    test_host h;
    h.become_open();
    const std::uint32_t stuck = h.publish("a", {}, 10'000);
    const std::uint32_t behind = h.publish("a");
    const std::string failed = "failed " + std::to_string(stuck) + ": timeout";
    for (int connection = 1; connection <= 3; ++connection) {
        h.done();
        pass_alive(h, 16'000);
        EXPECT_EQ(h.machine.current(), state::waiting);
        EXPECT_EQ(has(h.done(), failed), connection == 3) << connection;
        h.become_open();
    }
    h.hears(published(behind));
    EXPECT_EQ(h.done(), done{"published " + std::to_string(behind) + " at x7Qa 1"});
}

TEST(machine_slow_link, losses_that_are_nobodys_fault_fail_nothing) {
    test_host h;
    h.become_open();
    const std::uint32_t id = h.publish("a", {}, 10'000);
    for (int i = 0; i < 10; ++i) {
        h.lost(1006);
        h.become_open();
    }
    h.hears(published(id));
    EXPECT_EQ(h.done(), done{"published " + std::to_string(id) + " at x7Qa 1"});
}

TEST(machine_slow_link, the_largest_message_fails_when_connections_end_as_it_is_too_big) {
    test_host h;
    h.become_open();
    const std::uint32_t small = h.publish("a");
    const std::uint32_t large = h.publish("a", {}, 20'000);
    const std::uint32_t last = h.publish("a", {}, 500);
    const std::string failed = "failed " + std::to_string(large) + ": too_large";
    for (int connection = 1; connection <= 3; ++connection) {
        h.done();
        h.lost(1009);
        EXPECT_EQ(has(h.done(), failed), connection == 3) << connection;
        h.become_open();
    }
    h.hears(published(small));
    h.hears(published(last));
    EXPECT_EQ(
        h.done(), (done{
                      "published " + std::to_string(small) + " at x7Qa 1",
                      "published " + std::to_string(last) + " at x7Qa 1",
                  })
    );
}

TEST(machine_slow_link, a_silence_may_last_longer_after_one_that_was_too_long) {
    test_host h;
    h.become_open();
    h.pass(33'000);
    EXPECT_EQ(h.machine.current(), state::waiting);
    h.become_open();
    h.pass(65'999);
    EXPECT_EQ(h.machine.current(), state::open);
    // A heartbeat that comes through makes an end of it.
    h.hears(heartbeat);
    h.pass(33'000);
    EXPECT_EQ(h.machine.current(), state::waiting);
}

TEST(machine_slow_link, a_probe_may_last_longer_after_a_silence) {
    test_host h;
    h.become_open();
    h.online();
    h.pass(5'000);
    EXPECT_EQ(h.machine.current(), state::waiting);
    h.become_open();
    h.online();
    h.pass(9'999);
    EXPECT_EQ(h.machine.current(), state::open);
    h.pass(1);
    EXPECT_EQ(h.machine.current(), state::waiting);
}

}  // namespace
}  // namespace pulsewire::client
