#include "server/feed/consumer.hpp"

#include "common/base/overloaded.hpp"

#include <gtest/gtest.h>

#include <string>

namespace pulsewire::shell::feed {
namespace {

// A consumer whose actions are lines: "publish 1 a", "acknowledge 1", "bury 1 why".
class scripted {
public:
    std::string arrived(ticket number, std::string channel) {
        publication what;
        what.channel = std::move(channel);
        logic.arrived(number, std::move(what));
        return actions();
    }
    std::string arrived_bad(ticket number, std::string why) {
        logic.arrived(number, failure(std::move(why)));
        return actions();
    }
    std::string accepted(ticket number) { return refused(number, error_code::none); }
    std::string refused(ticket number, error_code why, std::string_view text = {}) {
        logic.answered(number, why, text, now_ms);
        return actions();
    }
    std::string after(std::int64_t ms) {
        now_ms += ms;
        logic.tick(now_ms);
        return actions();
    }
    std::string actions() {
        std::string lines;
        for (const consumer::action& one : logic.take_actions()) {
            if (!lines.empty()) lines += ", ";
            std::visit(
                overloaded{
                    [&](const consumer::publish& p) {
                        lines += "publish " + std::to_string(p.number) + " " + p.what.channel;
                    },
                    [&](const consumer::acknowledge& a) {
                        lines += "acknowledge " + std::to_string(a.number);
                    },
                    [&](const consumer::bury& b) {
                        lines += "bury " + std::to_string(b.number) + " " + b.reason;
                    },
                },
                one
            );
        }
        return lines;
    }

    consumer logic;
    std::int64_t now_ms = 1'000;
};

TEST(consumer, acknowledges_what_the_hub_has_accepted) {
    scripted c;
    EXPECT_EQ(c.arrived(1, "a"), "publish 1 a");
    EXPECT_EQ(c.logic.in_flight(), 1u);
    EXPECT_EQ(c.accepted(1), "acknowledge 1");
    EXPECT_EQ(c.logic.in_flight(), 0u);
    EXPECT_EQ(c.accepted(1), "") << "a second word";
}

TEST(consumer, publishes_in_a_channel_one_by_one_and_in_others_meanwhile) {
    scripted c;
    EXPECT_EQ(c.arrived(1, "a"), "publish 1 a");
    EXPECT_EQ(c.arrived(2, "a"), "");
    EXPECT_EQ(c.arrived(3, "b"), "publish 3 b");
    EXPECT_EQ(c.arrived(4, "a"), "");
    EXPECT_EQ(c.accepted(3), "acknowledge 3");
    EXPECT_EQ(c.accepted(1), "acknowledge 1, publish 2 a");
    EXPECT_EQ(c.accepted(2), "acknowledge 2, publish 4 a");
    EXPECT_EQ(c.accepted(4), "acknowledge 4");
}

TEST(consumer, tries_again_what_was_refused_for_now_and_lets_nothing_overtake_it) {
    scripted c;
    c.arrived(1, "a");
    c.arrived(2, "a");
    c.arrived(3, "b");
    EXPECT_EQ(c.refused(1, error_code::overloaded), "");
    EXPECT_EQ(c.arrived(4, "c"), "") << "a pause is for all";
    EXPECT_EQ(c.accepted(3), "acknowledge 3");
    EXPECT_EQ(c.after(retry_ms_min - 1), "");
    EXPECT_EQ(c.after(1), "publish 1 a, publish 4 c");
    EXPECT_EQ(c.accepted(1), "acknowledge 1, publish 2 a");
}

TEST(consumer, waits_longer_each_time_until_something_is_accepted) {
    scripted c;
    c.arrived(1, "a");
    std::int64_t wait = retry_ms_min;
    for (int i = 0; i < 12; ++i) {
        EXPECT_EQ(c.refused(1, error_code::storage_full), "");
        EXPECT_EQ(c.after(wait - 1), "") << wait;
        EXPECT_EQ(c.after(1), "publish 1 a") << wait;
        wait = std::min(2 * wait, retry_ms_max);
    }
    EXPECT_EQ(wait, retry_ms_max);
    c.accepted(1);
    c.arrived(2, "a");
    c.refused(2, error_code::broker_unavailable);
    EXPECT_EQ(c.after(retry_ms_min), "publish 2 a");
}

TEST(consumer, refusals_of_the_same_moment_are_one_pause) {
    scripted c;
    c.arrived(1, "a");
    c.arrived(2, "b");
    c.refused(1, error_code::overloaded);
    c.refused(2, error_code::overloaded);
    EXPECT_EQ(c.after(retry_ms_min), "publish 1 a, publish 2 b");
}

TEST(consumer, buries_what_the_hub_refuses_for_good_and_goes_on) {
    scripted c;
    c.arrived(1, "a");
    c.arrived(2, "a");
    EXPECT_EQ(
        c.refused(1, error_code::invalid_payload, "sum is no number"),
        "bury 1 invalid_payload: sum is no number, publish 2 a"
    );
    EXPECT_EQ(c.arrived_bad(3, "not JSON"), "bury 3 not JSON");
    EXPECT_EQ(c.logic.in_flight(), 3u);
    c.logic.buried(1);
    c.logic.buried(3);
    EXPECT_EQ(c.accepted(2), "acknowledge 2");
    EXPECT_EQ(c.logic.in_flight(), 0u);
}

TEST(consumer, takes_no_more_than_it_has_room_for) {
    scripted c;
    EXPECT_EQ(c.logic.room(), in_flight_max);
    for (ticket i = 1; i <= in_flight_max; ++i) c.arrived(i, "a");
    EXPECT_EQ(c.logic.room(), 0u);
    c.accepted(1);
    EXPECT_EQ(c.logic.room(), 1u);
}

TEST(consumer, forgets_everything_with_the_connection) {
    scripted c;
    c.arrived(1, "a");
    c.arrived(2, "a");
    c.refused(1, error_code::overloaded);
    c.logic.lost();
    EXPECT_EQ(c.after(retry_ms_max), "");
    EXPECT_EQ(c.logic.room(), in_flight_max);
    EXPECT_EQ(c.accepted(1), "") << "the word about a record that comes again";
    EXPECT_EQ(c.arrived(3, "a"), "publish 3 a");
}

TEST(consumer, every_error_is_either_for_now_or_for_good) {
    for (const error_code one :
         {error_code::rate_limited, error_code::overloaded, error_code::storage_failed,
          error_code::storage_full, error_code::broker_unavailable})
        EXPECT_TRUE(passes(one)) << name_of(one);
    for (const error_code one :
         {error_code::none, error_code::invalid_payload, error_code::invalid_channel, error_code::too_large,
          error_code::key_reused, error_code::forbidden})
        EXPECT_FALSE(passes(one)) << name_of(one);
}

}  // namespace
}  // namespace pulsewire::shell::feed
