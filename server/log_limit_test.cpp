#include "server/log_limit.hpp"

#include <gtest/gtest.h>

namespace pulsewire::log {
namespace {

TEST(log_limit, so_many_lines_are_written_in_a_second_and_the_others_are_counted) {
    limit l(2);
    EXPECT_TRUE(l.admits(10'000));
    EXPECT_TRUE(l.admits(10'500));
    EXPECT_FALSE(l.admits(10'600));
    EXPECT_FALSE(l.admits(10'999));
    EXPECT_EQ(l.take_left_out(), 2u);
    EXPECT_EQ(l.take_left_out(), 0u);
    EXPECT_TRUE(l.admits(11'000));
}

TEST(log_limit, a_second_begins_with_its_first_line) {
    limit l(1);
    EXPECT_TRUE(l.admits(0));
    EXPECT_FALSE(l.admits(999));
    EXPECT_TRUE(l.admits(1'000));
    EXPECT_FALSE(l.admits(1'999));
    EXPECT_TRUE(l.admits(2'500));
    EXPECT_FALSE(l.admits(3'400));
    EXPECT_TRUE(l.admits(3'500));
}

}  // namespace
}  // namespace pulsewire::log
