#include "common/client/answer_clock.hpp"

#include <gtest/gtest.h>

namespace pulsewire::client {
namespace {

constexpr std::uint32_t timeout_ms = 10'000;

TEST(answer_clock, begins_when_the_command_has_left_over_a_slow_link) {
    answer_clock c;
    EXPECT_EQ(c.deadline(c.sends(100, 1'000), timeout_ms, 0), 11'000) << "a small one leaves at once";
    EXPECT_EQ(c.deadline(c.sends(20'000, 1'000), timeout_ms, 0), 11'000 + 20'100 - 4'096);
    EXPECT_EQ(c.deadline(c.sends(0, 1'000), timeout_ms, 0), 11'000 + 20'100 - 4'096) << "behind that";
    c.all_answered();
    EXPECT_EQ(c.deadline(c.sends(0, 1'000), timeout_ms, 0), 11'000);
}

TEST(answer_clock, what_arrives_meanwhile_puts_the_end_off_at_a_floor_rate) {
    answer_clock c;
    c.arrived(50'000);
    const auto asked = c.sends(0, 0);
    EXPECT_EQ(c.deadline(asked, timeout_ms, 0), 10'000) << "what came before does not count";
    c.arrived(4'095);
    EXPECT_FALSE(c.busy_since(asked));
    EXPECT_EQ(c.deadline(asked, timeout_ms, 0), 10'000) << "so little comes in no time";
    c.arrived(1);
    EXPECT_TRUE(c.busy_since(asked));
    EXPECT_EQ(c.deadline(asked, timeout_ms, 0), 14'096);
    c.arrived(16'000);
    EXPECT_EQ(c.deadline(asked, timeout_ms, 0), 30'096);
    EXPECT_EQ(c.deadline(c.sends(0, 0), timeout_ms, 0), 10'000) << "of one that is sent now";
}

TEST(answer_clock, what_is_known_to_come_counts_before_it_is_seen_and_once) {
    answer_clock c;
    const auto asked = c.sends(0, 0);
    EXPECT_EQ(c.deadline(asked, timeout_ms, 100'000), 110'000);
    c.arrived(60'000);
    EXPECT_EQ(c.deadline(asked, timeout_ms, 100'000), 110'000);
    EXPECT_EQ(c.deadline(asked, timeout_ms, 0), 70'000);
}

TEST(answer_clock, a_link_that_is_never_quiet_excuses_four_minutes) {
    answer_clock c;
    const auto asked = c.sends(0, 0);
    for (int i = 0; i < 100'000; ++i) c.arrived(50'000);
    EXPECT_EQ(c.deadline(asked, timeout_ms, 0), 10'000 + 262'144);
}

TEST(answer_clock, its_count_may_overflow) {
    answer_clock c;
    c.arrived(UINT32_MAX - 999);
    const auto asked = c.sends(0, 0);
    c.arrived(6'000);
    EXPECT_EQ(c.deadline(asked, timeout_ms, 0), 16'000);
}

}  // namespace
}  // namespace pulsewire::client
