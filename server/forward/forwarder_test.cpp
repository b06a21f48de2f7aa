// Scripts of what a forwarder hears, and what it does.

#include "server/forward/forwarder.hpp"

#include "common/base/overloaded.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <limits>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace pulsewire::shell::forward {
namespace {

constexpr std::size_t any = std::numeric_limits<std::size_t>::max();

// Channels that keep what is published in them, and a destination that takes what it is given.
class world {
public:
    explicit world(std::size_t window = any, epochs from = epochs::of_node) : logic(from, window, 0) {}

    struct kept {
        std::string epoch = "one";
        std::uint64_t head = 0;
        std::uint64_t oldest = 1;
    };
    void publish(const std::string& channel) {
        const std::uint64_t offset = ++channels[channel].head;
        logic.heard(channel, offset, offset, static_cast<std::int64_t>(++log_ms));
    }
    // Answers one read with at most `count` publications. False: there was none.
    bool answer(std::size_t count = 300) {
        collect();
        if (reads.empty()) return false;
        const forwarder::read asked = reads.front();
        reads.pop_front();
        const kept& c = channels[asked.channel];
        page p{c.epoch, c.head, {}};
        for (std::uint64_t o = std::max(asked.after + 1, c.oldest);
             o <= c.head && p.publications.size() < count; ++o) {
            publication one;
            one.channel = asked.channel;
            one.epoch = c.epoch;
            one.offset = o;
            one.payload = std::to_string(o);
            p.publications.push_back(std::move(one));
        }
        logic.take(asked.channel, std::move(p));
        collect();
        return true;
    }
    void acknowledge(std::size_t count = any) {
        collect();
        for (; count > 0 && !open.empty(); --count) {
            const auto [number, text] = open.front();
            open.pop_front();
            logic.acknowledged(number);
            collect();
        }
    }
    void run() {
        do acknowledge();
        while (answer());
        acknowledge();
    }
    void break_destination() {
        open.clear();
        logic.lost();
        collect();
    }
    void collect() {
        for (forwarder::action& one : logic.take_actions())
            std::visit(
                overloaded{
                    [&](forwarder::read& r) { reads.push_back(r); },
                    [&](forwarder::write& w) {
                        std::string text = w.what.channel + " " + std::to_string(w.what.offset);
                        if (w.what.lost != 0) text += " lost " + std::to_string(w.what.lost);
                        sent.push_back(text);
                        open.emplace_back(w.number, text);
                    },
                },
                one
            );
    }
    std::vector<std::string> take_sent() {
        collect();
        return std::exchange(sent, {});
    }

    forwarder logic;
    std::map<std::string, kept> channels;
    std::deque<forwarder::read> reads;
    std::deque<std::pair<ticket, std::string>> open;  // without an answer
    std::vector<std::string> sent;
    std::uint64_t log_ms = 0;
};

using lines = std::vector<std::string>;

TEST(forwarder, what_is_published_goes_in_its_order) {
    world w;
    w.logic.opened();
    w.publish("a:1");
    w.publish("a:1");
    w.publish("a:2");
    w.run();
    EXPECT_EQ(w.take_sent(), (lines{"a:1 1", "a:1 2", "a:2 1"}));
    EXPECT_EQ(w.logic.forwarded(), 3u);
    EXPECT_EQ(w.logic.channels(), 0u) << "a channel of which everything is forwarded takes its place alone";
    w.publish("a:1");
    w.run();
    EXPECT_EQ(w.take_sent(), (lines{"a:1 3"}));
}

TEST(forwarder, nothing_is_read_while_the_destination_is_away_and_everything_after) {
    world w;
    for (int i = 0; i < 500; ++i) w.publish("a:1");
    EXPECT_FALSE(w.answer());
    w.logic.opened();
    w.run();
    const lines all = w.take_sent();
    ASSERT_EQ(all.size(), 500u);
    EXPECT_EQ(all.back(), "a:1 500");
}

TEST(forwarder, what_was_not_acknowledged_is_sent_again_from_the_place) {
    world w;
    w.logic.opened();
    for (int i = 0; i < 4; ++i) w.publish("a:1");
    w.answer();
    w.acknowledge(2);
    EXPECT_EQ(w.logic.known().at("a:1").offset, 2u);
    w.break_destination();
    w.take_sent();
    w.logic.opened();
    w.run();
    EXPECT_EQ(w.take_sent(), (lines{"a:1 3", "a:1 4"}));
}

// Also when a page was on its way: it is of a time that is over.
TEST(forwarder, a_page_that_was_asked_for_before_the_destination_broke_is_void) {
    world w;
    w.logic.opened();
    w.publish("a:1");
    w.answer();
    w.publish("a:1");
    w.collect();
    ASSERT_EQ(w.reads.size(), 1u);
    EXPECT_EQ(w.reads[0].after, 1u);
    w.break_destination();
    w.take_sent();
    w.logic.opened();
    w.run();
    EXPECT_EQ(w.take_sent(), (lines{"a:1 1", "a:1 2"}));
}

TEST(forwarder, a_narrow_window_lets_one_of_each_channel_go) {
    world w(1);
    w.logic.opened();
    for (int i = 0; i < 3; ++i) {
        w.publish("a:1");
        w.publish("a:2");
    }
    while (w.answer()) {
    }
    EXPECT_EQ(w.take_sent(), (lines{"a:1 1", "a:2 1"}));
    w.acknowledge(1);
    EXPECT_EQ(w.take_sent(), (lines{"a:1 2"}));
    w.run();
    EXPECT_EQ(w.take_sent(), (lines{"a:2 2", "a:1 3", "a:2 3"}));
}

TEST(forwarder, memory_is_bounded_however_much_there_is) {
    world w;
    w.logic.opened();
    for (int c = 0; c < 100; ++c)
        for (int i = 0; i < 300; ++i) w.publish("a:" + std::to_string(c));
    while (w.answer()) {
    }
    // Each counts as half a kilobyte at least.
    EXPECT_LE(w.logic.in_flight() * 512, bytes_max);
    EXPECT_GT(w.logic.in_flight(), 1'000u);
    w.run();
    EXPECT_EQ(w.take_sent().size(), 30'000u);
}

TEST(forwarder, what_went_by_is_counted_and_told_in_its_place) {
    world w;
    w.logic.opened();
    w.publish("a:1");
    w.run();
    w.break_destination();
    for (int i = 0; i < 9; ++i) w.publish("a:1");
    w.channels["a:1"].oldest = 7;
    w.logic.opened();
    w.take_sent();
    w.run();
    EXPECT_EQ(w.take_sent(), (lines{"a:1 6 lost 5", "a:1 7", "a:1 8", "a:1 9", "a:1 10"}));
    EXPECT_EQ(w.logic.lost_count(), 5u);
    // One that is told again counts once.
    w.publish("a:1");
    w.publish("a:1");
    w.channels["a:1"].oldest = 12;
    w.answer();
    EXPECT_EQ(w.take_sent(), (lines{"a:1 11 lost 1", "a:1 12"}));
    w.break_destination();
    w.logic.opened();
    w.run();
    EXPECT_EQ(w.take_sent(), (lines{"a:1 11 lost 1", "a:1 12"}));
    EXPECT_EQ(w.logic.lost_count(), 6u);
    // Everything may be gone.
    w.break_destination();
    w.publish("a:1");
    w.publish("a:1");
    w.channels["a:1"].oldest = 15;
    w.logic.opened();
    w.run();
    EXPECT_EQ(w.take_sent(), (lines{"a:1 14 lost 2"}));
    EXPECT_EQ(w.logic.known().at("a:1").offset, 14u);
}

TEST(forwarder, a_life_goes_on_from_the_places_of_the_one_before) {
    world w;
    w.channels["a:1"] = {"one", 5, 1};
    w.channels["a:2"] = {"one", 5, 3};
    w.logic.restore({{"a:1", {"one", 3}}}, 0);
    w.logic.found("a:1");
    w.logic.found("a:2");
    w.logic.opened();
    w.run();
    EXPECT_EQ(w.take_sent(), (lines{"a:1 4", "a:1 5", "a:2 3", "a:2 4", "a:2 5"}));
    EXPECT_EQ(w.logic.lost_count(), 0u) << "nobody knows that there was something before";
}

TEST(forwarder, another_channel_of_the_same_name_is_forwarded_from_its_begin) {
    world w;
    w.logic.opened();
    w.publish("a:1");
    w.publish("a:1");
    w.run();
    w.take_sent();
    w.channels["a:1"] = {"two", 0, 1};
    w.publish("a:1");
    w.run();
    EXPECT_EQ(w.take_sent(), (lines{"a:1 1"}));
    EXPECT_EQ(w.logic.known().at("a:1").epoch, "two");
}

TEST(forwarder, in_the_shared_log_another_epoch_is_the_same_channel) {
    world w(any, epochs::of_log);
    w.logic.opened();
    w.channels["a:1"] = {"one", 4, 1};
    w.logic.begin("a:1", 2, 4, 1);
    w.run();
    EXPECT_EQ(w.take_sent(), (lines{"a:1 3", "a:1 4"}));
    w.channels["a:1"].epoch = "two";
    w.publish("a:1");
    w.run();
    EXPECT_EQ(w.take_sent(), (lines{"a:1 5"}));
}

TEST(forwarder, of_what_is_somebody_elses_now_nothing_goes_on) {
    world w(any, epochs::of_log);
    w.logic.opened();
    w.channels["a:1"] = {"one", 2, 1};
    w.logic.begin("a:1", 0, 2, 1);
    w.collect();
    w.logic.end([](const std::string&) { return true; });
    w.run();
    EXPECT_EQ(w.take_sent(), lines{});
    EXPECT_EQ(w.logic.channels(), 0u);
    w.logic.begin("a:1", 1, 2, 1);
    w.run();
    EXPECT_EQ(w.take_sent(), (lines{"a:1 2"}));
}

// The place that goes into the log is a time before which nothing waits.
TEST(forwarder, knows_since_when_something_waits) {
    const auto all = [](const std::string&) { return true; };
    world w(1, epochs::of_log);
    w.logic.opened();
    EXPECT_FALSE(w.logic.waits_since(all));
    for (int i = 0; i < 3; ++i) w.publish("a:1");  // 1, 2, 3
    w.publish("a:2");                              // 4
    while (w.answer()) {
    }
    EXPECT_EQ(w.logic.waits_since(all), 1);
    w.acknowledge(1);
    EXPECT_EQ(w.logic.waits_since(all), 2);
    w.acknowledge(1);
    EXPECT_EQ(w.logic.waits_since([](const std::string& c) { return c == "a:2"; }), std::nullopt);
    EXPECT_EQ(w.logic.waits_since(all), 2);
    w.run();
    EXPECT_FALSE(w.logic.waits_since(all));
    // More than has marks counts as old as the oldest of them.
    for (int i = 0; i < 50; ++i) w.publish("a:1");
    EXPECT_EQ(w.logic.waits_since(all), 5);
    w.run();
    EXPECT_FALSE(w.logic.waits_since(all));
}

TEST(forwarder, what_could_not_be_read_is_asked_for_again) {
    world w;
    w.logic.opened();
    w.publish("a:1");
    w.collect();
    w.reads.clear();
    w.logic.unread("a:1");
    w.collect();
    EXPECT_TRUE(w.reads.empty());
    w.logic.tick(1);
    w.run();
    EXPECT_EQ(w.take_sent(), (lines{"a:1 1"}));
}

// Of a channel whose history is gone for sure nothing has to be known.
TEST(forwarder, places_of_idle_channels_are_forgotten) {
    forwarder logic(epochs::of_node, any, 1'000);
    logic.heard("a:1", 1, 1);
    logic.opened();
    logic.take_actions();
    publication first;
    first.channel = "a:1";
    first.epoch = "one";
    first.offset = 1;
    logic.take("a:1", page{"one", 1, {first}});
    logic.acknowledged(1);
    logic.take_moved();
    logic.tick(60'000);
    EXPECT_TRUE(logic.known().empty());
    // The next one says where it stands.
    logic.heard("a:1", 2, 2);
    EXPECT_EQ(logic.known().at("a:1").offset, 1u);
}

}  // namespace
}  // namespace pulsewire::shell::forward
