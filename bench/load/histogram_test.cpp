#include "bench/load/histogram.hpp"

#include <gtest/gtest.h>

namespace pulsewire::bench {
namespace {

TEST(histogram, without_values_everything_is_nothing) {
    const histogram h;
    EXPECT_EQ(h.percentile(0.5), 0u);
    EXPECT_EQ(h.max(), 0u);
}

TEST(histogram, small_values_are_exact) {
    histogram h;
    for (std::uint64_t value = 1; value <= 100; ++value) h.add(value);
    EXPECT_EQ(h.percentile(0.5), 50u);
    EXPECT_EQ(h.percentile(0.99), 99u);
    EXPECT_EQ(h.percentile(1), 100u);
    EXPECT_EQ(h.percentile(0), 1u);
}

TEST(histogram, great_values_are_right_within_a_step_and_never_too_small) {
    for (std::uint64_t value = 1; value < 1'000'000'000'000; value = value * 3 + 1) {
        histogram h;
        h.add(value);
        h.add(value * 4);
        EXPECT_GE(h.percentile(0.5), value);
        EXPECT_LE(static_cast<double>(h.percentile(0.5)), static_cast<double>(value) * (1 + 1.0 / 128));
        EXPECT_EQ(h.percentile(1), value * 4);
    }
}

TEST(histogram, one_late_message_in_a_thousand_shows_at_its_place) {
    histogram h;
    for (int i = 0; i < 999; ++i) h.add(1'000);
    h.add(5'000'000);
    EXPECT_LE(h.percentile(0.999), 1'008u);
    EXPECT_EQ(h.percentile(0.9991), 5'000'000u);
    EXPECT_EQ(h.count(), 1'000u);
}

}  // namespace
}  // namespace pulsewire::bench
