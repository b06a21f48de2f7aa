#include "server/base/transfer_clock.hpp"

#include <gtest/gtest.h>

namespace pulsewire::shell {
namespace {

TEST(transfer_clock, each_byte_that_moves_puts_the_end_off) {
    transfer_clock c;
    c.begin(1'000, 100, 10);
    EXPECT_EQ(c.deadline_ms(), 1'100);
    c.moved(1'000, 1'090);
    EXPECT_EQ(c.deadline_ms(), 1'190);
    c.moved(0, 1'150);
    EXPECT_EQ(c.deadline_ms(), 1'190) << "nothing has moved";
}

TEST(transfer_clock, who_drips_is_cut_off_at_the_floor_rate) {
    transfer_clock c;
    c.begin(0, 10'000, 500);
    std::int64_t now = 0;
    while (now < c.deadline_ms()) c.moved(1, now += 1'000);
    EXPECT_EQ(now, 11'000);
    c.begin(0, 10'000, 500);
    for (now = 0; now < 600'000;) {
        c.moved(500, now += 1'000);
        ASSERT_GT(c.deadline_ms(), now) << "at the floor rate it may go on";
    }
}

TEST(transfer_clock, without_a_floor_only_a_stall_ends_it) {
    transfer_clock c;
    c.begin(0, 10, 0);
    for (std::int64_t now = 0; now < 1'000; now += 9) {
        c.moved(1, now);
        ASSERT_GT(c.deadline_ms(), now);
    }
}

}  // namespace
}  // namespace pulsewire::shell
