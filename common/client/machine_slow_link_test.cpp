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

// --- downwards: a host sees what is large only when it is whole ---

constexpr time_ms kilobyte_ms = 200;  // at 5 KB/s

std::string answer(std::uint32_t id) {
    return R"({"op":"history","id":)" + std::to_string(id) + R"(,"payload":[]})";
}
std::string large(std::string line, std::size_t bytes) {
    return line.substr(0, line.size() - 1) + R"(,"payload":")" + std::string(bytes, 'x') + "\"}";
}
std::string large_page(std::uint32_t id) {
    return large(R"({"op":"history","id":)" + std::to_string(id) + "}", 128 * 1024);
}
std::string message(std::uint64_t offset, std::size_t bytes) {
    return large(R"({"type":"t","channel":"a","offset":)" + std::to_string(offset) + R"(,"time":1})", bytes);
}
const std::string pong = R"(send {"op":"pong"})";
subscribe_options latest(std::uint32_t count) {
    subscribe_options how;
    how.latest = count;
    return how;
}

// Publications of "a", sixteen kilobytes at a time as the server joins them.
class replay {
public:
    explicit replay(test_host& h) : h_(h) {}
    void arrives(int messages) {
        for (int i = 0; i < messages; ++i) {
            h_.pass(16 * kilobyte_ms);
            for (int line = 0; line < 8; ++line) h_.hears(message(++offset_, 2'000));
        }
    }

private:
    test_host& h_;
    std::uint64_t offset_ = 0;
};

TEST(machine_slow_link, a_history_page_has_the_time_that_it_takes_to_arrive) {
    test_host h;
    h.become_open();
    h.pass(24'000);  // just before a ping
    const std::uint32_t page = h.history("a");
    const std::uint32_t behind = h.publish("a");
    h.done();
    h.pass(128 * kilobyte_ms);
    EXPECT_EQ(h.done(), done{});
    h.hears(large_page(page));
    h.pass(3'000);
    h.hears(published(behind));
    EXPECT_EQ(h.done().back(), "published " + std::to_string(behind) + " at x7Qa 1");
}

TEST(machine_slow_link, several_pages_have_the_time_of_all) {
    test_host h;
    h.become_open();
    for (const std::uint32_t page : {h.history("a"), h.history("b"), h.history("c"), h.history("d")}) {
        h.pass(128 * kilobyte_ms);
        h.hears(large_page(page));
        EXPECT_EQ(h.machine.current(), state::open);
    }
}

TEST(machine_slow_link, a_dead_server_is_missed_with_a_page_under_way_as_soon_as_without) {
    test_host h;
    h.become_open();
    h.pass(20'000);
    h.history("a");
    h.pass(1'000);
    h.history("a");
    h.pass(31'999);
    EXPECT_EQ(h.machine.current(), state::open);
    h.pass(1);
    EXPECT_EQ(h.machine.current(), state::waiting) << "33 s after the first query";
}

TEST(machine_slow_link, a_page_that_never_comes_ends_the_connection_of_a_server_that_lives) {
    test_host h;
    h.become_open();
    h.history("a");
    pass_alive(h, 10'000 + 128 * 1'024 - 1);
    EXPECT_EQ(h.machine.current(), state::open);
    h.pass(1);
    EXPECT_EQ(h.machine.current(), state::waiting);
}

TEST(machine_slow_link, an_answered_query_leaves_the_others_no_more_time) {
    test_host h;
    h.become_open();
    const std::uint32_t page = h.history("a");
    h.publish("a");
    h.hears(answer(page));
    h.pass(9'999);
    EXPECT_EQ(h.machine.current(), state::open);
    h.pass(1);
    EXPECT_EQ(h.machine.current(), state::waiting);
}

TEST(machine_slow_link, an_answer_may_wait_behind_a_replay_that_arrives) {
    test_host h;
    h.become_open();
    h.subscribe("a", latest(60));
    const std::uint32_t id = h.publish("b");
    h.hears(R"({"op":"subscribed","id":1,"channel":"a","epoch":"x7Qa","offset":0,"replay":60})");
    replay(h).arrives(8);
    EXPECT_EQ(h.machine.current(), state::open);
    h.done();
    h.hears(published(id));
    EXPECT_EQ(h.done(), done{"published " + std::to_string(id) + " at x7Qa 1"});
}

TEST(machine_slow_link, what_the_host_has_read_itself_counts_as_well) {
    test_host h;
    h.become_open();
    h.subscribe_at("a", 0);
    h.publish("b");
    for (std::uint64_t offset = 1; offset <= 10; ++offset) {
        h.pass(4'000);
        ASSERT_EQ(h.machine.publication(h.attempt, "a", offset, 20'000, h.now), 1);
    }
    EXPECT_EQ(h.machine.current(), state::open);
}

TEST(machine_slow_link, the_answer_to_a_subscribe_may_wait_behind_another_replay) {
    test_host h;
    h.become_open();
    h.subscribe("a", latest(60));
    h.hears(R"({"op":"subscribed","id":1,"channel":"a","epoch":"x7Qa","offset":0,"replay":60})");
    h.subscribe("b");
    replay(h).arrives(8);
    EXPECT_EQ(h.machine.current(), state::open);
}

TEST(machine_slow_link, answers_wait_for_the_members_of_a_channel) {
    test_host h;
    h.become_open();
    subscribe_options how;
    how.presence = true;
    h.subscribe("a", how);
    h.hears(R"({"op":"subscribed","id":1,"channel":"a","epoch":"x7Qa","offset":0,"replay":0})");
    h.publish("a");
    h.pass(64 * kilobyte_ms);
    EXPECT_EQ(h.machine.current(), state::open);
    h.hears(R"({"op":"presence","channel":"a","payload":[]})");
    h.pass(27'000 - 64 * kilobyte_ms);
    EXPECT_EQ(h.machine.current(), state::waiting) << "they were few, so the answer is overdue";
}

TEST(machine_slow_link, a_connection_that_always_brings_something_does_not_excuse_a_lost_answer_for_ever) {
    test_host h;
    h.become_open();
    h.subscribe_at("a", 0);
    h.publish("b");
    std::uint64_t offset = 0;
    const time_ms begin = h.now;
    while (h.machine.current() == state::open && h.now < begin + 1'000'000) {
        h.hears(message(++offset, 16'000));
        h.pass(1'000);
    }
    EXPECT_EQ((h.now - begin) / 1'000, 273);
}

// Without it the server would miss a pong, whose ping waits behind the replay.
TEST(machine_slow_link, the_server_is_told_of_life_where_its_ping_waits_behind_a_replay) {
    test_host h;
    h.become_open();
    h.subscribe_at("a", 0);
    replay r(h);
    r.arrives(8);
    EXPECT_FALSE(has(h.done(), pong)) << "after 25.6 s a ping may still come";
    r.arrives(1);
    EXPECT_TRUE(has(h.done(), pong));
    r.arrives(8);
    EXPECT_FALSE(has(h.done(), pong)) << "once for each ping that it misses";
}

TEST(machine_slow_link, the_server_is_told_of_life_while_a_page_is_awaited) {
    test_host h;
    h.become_open();
    const std::uint32_t first = h.history("a");
    const std::uint32_t second = h.history("a");
    h.pass(128 * kilobyte_ms);
    h.hears(large_page(first));
    h.done();
    h.pass(27'000 - 128 * kilobyte_ms - 1);
    EXPECT_EQ(h.done(), done{});
    h.pass(1);
    EXPECT_EQ(h.done(), done{pong});
    h.hears(large_page(second));
    h.pass(33'000 - 1);
    EXPECT_EQ(h.done().size(), 1u) << "nothing is said when nothing is awaited";
}

TEST(machine_slow_link, on_a_fast_link_pings_are_answered_and_nothing_else_is_said) {
    test_host h;
    h.become_open();
    h.subscribe_at("a", 0);
    std::uint64_t offset = 0;
    for (int second = 1; second <= 100; ++second) {
        h.pass(1'000);
        h.hears(message(++offset, 5'000));
        if (second % 26 != 0) continue;
        h.done();
        h.hears(heartbeat);
        EXPECT_EQ(h.done(), done{pong});
    }
    EXPECT_FALSE(has(h.done(), pong));
}

}  // namespace
}  // namespace pulsewire::client
