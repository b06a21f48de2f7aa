#include "common/client/connections.hpp"

#include <gtest/gtest.h>

namespace pulsewire::client {
namespace {

using loss = connections::loss;
using role = connections::role;

constexpr std::uint32_t open_timeout_ms = 10'000;

// One that serves since 1'000 and was welcomed then.
struct with_one : connections {
    with_one() : connections(open_timeout_ms) {
        first = open(1'000);
        opened(first);
        heard(first, 1'000);
        welcomed(33'000);
    }
    std::uint32_t first;
};

TEST(connections, there_is_none_before_the_first) {
    connections c(open_timeout_ms);
    EXPECT_EQ(c.newest(), 0u);
    EXPECT_FALSE(c.take_commands());
    EXPECT_FALSE(c.opened(0));
    EXPECT_EQ(c.heard(0, 1), role::none);
    EXPECT_EQ(c.ended(0), loss::none);
    EXPECT_EQ(c.forget(), 0u);
    EXPECT_EQ(c.deadline(), never);
    EXPECT_EQ(c.silence_deadline(), never);
}

TEST(connections, one_that_opens_serves_and_is_to_be_welcomed_in_time) {
    connections c(open_timeout_ms);
    const std::uint32_t first = c.open(1'000);
    EXPECT_EQ(c.newest(), first);
    EXPECT_EQ(c.heard(first, 1'001), role::none) << "it is not open";
    EXPECT_TRUE(c.opened(first));
    EXPECT_FALSE(c.opened(first));
    EXPECT_FALSE(c.take_commands()) << "the welcome tells how large a message may be";
    EXPECT_EQ(c.serving(), first) << "and is to come";
    EXPECT_FALSE(c.has_welcome());
    EXPECT_EQ(c.opening_deadline(), 11'000);
    EXPECT_GE(c.silence_deadline(), never);
    EXPECT_EQ(c.heard(first, 2'000), role::serving);
    c.welcomed(33'000);
    EXPECT_TRUE(c.has_welcome());
    EXPECT_EQ(c.opening_deadline(), never);
    EXPECT_EQ(c.silence_deadline(), 35'000);
}

TEST(connections, names_are_not_used_again) {
    connections c(open_timeout_ms);
    const std::uint32_t first = c.open(1);
    EXPECT_EQ(c.ended(first), loss::complete);
    const std::uint32_t second = c.open(2);
    EXPECT_NE(second, first);
    EXPECT_FALSE(c.opened(first));
    EXPECT_EQ(c.ended(first), loss::none);
    EXPECT_EQ(c.newest(), second);
}

TEST(connections, the_next_one_opens_while_this_one_serves_and_then_this_one_retires) {
    with_one c;
    const std::uint32_t next = c.open(5'000);
    EXPECT_EQ(c.serving(), c.first);
    EXPECT_EQ(c.newest(), next);
    EXPECT_FALSE(c.take_commands());
    EXPECT_TRUE(c.has_welcome()) << "the one that serves";
    EXPECT_EQ(c.heard(c.first, 6'000), role::serving);
    EXPECT_EQ(c.opening_deadline(), 15'000) << "of the next one";
    EXPECT_EQ(c.silence_deadline(), 39'000) << "of this one";
    EXPECT_TRUE(c.opened(next));
    EXPECT_FALSE(c.has_welcome());
    EXPECT_EQ(c.serving(), next);
    EXPECT_EQ(c.heard(c.first, 6'000), role::retiring);
    EXPECT_EQ(c.opening_deadline(), 15'000) << "the welcome is still to come";
    EXPECT_GE(c.silence_deadline(), never);
    EXPECT_EQ(c.retire(), c.first);
    EXPECT_EQ(c.retire(), 0u);
    EXPECT_EQ(c.heard(c.first, 6'000), role::none);
}

TEST(connections, what_the_end_of_one_means_depends_on_the_other) {
    {
        with_one c;
        EXPECT_EQ(c.ended(c.first), loss::complete);
        EXPECT_EQ(c.ended(c.first), loss::none);
    }
    {
        with_one c;
        const std::uint32_t next = c.open(5'000);
        EXPECT_EQ(c.ended(c.first), loss::serving);
        EXPECT_EQ(c.serving(), 0u);
        EXPECT_EQ(c.silence_deadline(), never);
        EXPECT_EQ(c.ended(next), loss::complete);
    }
    {
        with_one c;
        const std::uint32_t next = c.open(5'000);
        EXPECT_EQ(c.ended(next), loss::opening);
        EXPECT_TRUE(c.take_commands());
        EXPECT_TRUE(c.has_welcome());
        EXPECT_EQ(c.opening_deadline(), never);
        EXPECT_EQ(c.ended(c.first), loss::complete);
    }
    {
        with_one c;
        const std::uint32_t next = c.open(5'000);
        c.opened(next);
        EXPECT_EQ(c.ended(c.first), loss::retired);
        EXPECT_EQ(c.serving(), next);
        EXPECT_EQ(c.ended(next), loss::complete);
    }
    {
        with_one c;
        const std::uint32_t next = c.open(5'000);
        c.opened(next);
        EXPECT_EQ(c.ended(next), loss::complete) << "the one before only brings late answers";
        EXPECT_EQ(c.forget(), c.first);
    }
}

TEST(connections, forgets_the_newest_first_and_what_was_planned) {
    with_one c;
    const std::uint32_t next = c.open(5'000);
    c.hand_over_at(9'000);
    EXPECT_EQ(c.forget(), next);
    EXPECT_EQ(c.forget(), c.first);
    EXPECT_EQ(c.forget(), 0u);
    EXPECT_EQ(c.deadline(), never);
    EXPECT_FALSE(c.must_hand_over(9'000));
}

TEST(connections, a_hand_over_has_its_moment_once) {
    with_one c;
    c.hand_over_at(5'000);
    EXPECT_EQ(c.deadline(), 5'000);
    EXPECT_FALSE(c.must_hand_over(4'999));
    EXPECT_TRUE(c.must_hand_over(5'000));
    EXPECT_FALSE(c.must_hand_over(5'000));
    EXPECT_EQ(c.deadline(), never);
}

TEST(connections, the_one_before_stays_for_five_seconds) {
    with_one c;
    c.opened(c.open(5'000));
    c.welcomed(0);
    c.linger(6'000);
    EXPECT_EQ(c.deadline(), 11'000);
    EXPECT_FALSE(c.lingers_too_long(10'999));
    EXPECT_TRUE(c.lingers_too_long(11'000));
    c.retire();
    EXPECT_FALSE(c.lingers_too_long(11'000));
}

TEST(connections, a_probe_is_to_be_answered_within_five_seconds) {
    with_one c;
    EXPECT_TRUE(c.probe(2'000));
    EXPECT_FALSE(c.probe(3'000)) << "one is enough";
    EXPECT_EQ(c.silence_deadline(), 7'000);
    c.heard(c.first, 4'000);
    EXPECT_EQ(c.silence_deadline(), 37'000) << "anything is an answer";
    EXPECT_TRUE(c.probe(5'000));
    c.opened(c.open(6'000));
    EXPECT_GE(c.silence_deadline(), never) << "it was not asked of the next one";
}

}  // namespace
}  // namespace pulsewire::client
