#include "server/shard/load_shedding.hpp"

#include <gtest/gtest.h>

namespace pulsewire::shell {
namespace {

constexpr std::uint32_t bound_ms = 1'000;

TEST(load_shedding, one_long_turn_refuses_nobody) {
    load_shedding s;
    EXPECT_FALSE(s.note(60'000, bound_ms));
    EXPECT_FALSE(s.note(2, bound_ms));
    EXPECT_FALSE(s.note(2, bound_ms));
    EXPECT_FALSE(s.note(60'000, bound_ms));
    EXPECT_FALSE(s.refuses());
}

TEST(load_shedding, a_loop_that_stays_late_refuses_until_it_is_twice_as_good_as_the_bound) {
    load_shedding s;
    EXPECT_FALSE(s.note(1'001, bound_ms));
    EXPECT_TRUE(s.note(1'001, bound_ms));
    EXPECT_TRUE(s.refuses());
    for (int i = 0; i < 10; ++i) EXPECT_FALSE(s.note(501, bound_ms));
    EXPECT_TRUE(s.refuses());
    EXPECT_FALSE(s.note(500, bound_ms));
    EXPECT_TRUE(s.note(500, bound_ms));
    EXPECT_FALSE(s.refuses());
}

TEST(load_shedding, without_a_bound_everybody_is_taken) {
    load_shedding s;
    for (int i = 0; i < 10; ++i) EXPECT_FALSE(s.note(60'000, 0));
    EXPECT_FALSE(s.refuses());
    EXPECT_TRUE(s.note(60'000, bound_ms));
    EXPECT_TRUE(s.note(60'000, 0)) << "the setting was turned off";
    EXPECT_FALSE(s.refuses());
}

}  // namespace
}  // namespace pulsewire::shell
