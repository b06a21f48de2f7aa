#include "server/net/user_timeout.hpp"

#include <gtest/gtest.h>

namespace pulsewire::shell {
namespace {

TEST(user_timeout, is_put_off_as_long_as_the_peer_takes_something) {
    user_timeout t(33'000);
    std::int64_t ends_ms = 33'000;
    for (std::int64_t now = 1; now < 600'000; now += 500) {
        // Every thirteen seconds, as a window of 64 KiB opens at 5 KB/s.
        if (const std::uint32_t set = t.look(true, now % 13'000 == 1, now)) ends_ms = set;
        ASSERT_GT(ends_ms, now);
    }
}

TEST(user_timeout, ends_one_who_takes_nothing_more) {
    user_timeout t(33'000);
    EXPECT_EQ(t.look(true, false, 1'000), 0u);
    EXPECT_EQ(t.look(true, true, 18'000), 17'000u + 33'000 + 5'000);
    for (std::int64_t now = 18'500; now < 100'000; now += 500) ASSERT_EQ(t.look(true, false, now), 0u);
}

TEST(user_timeout, is_as_before_when_nothing_waits) {
    user_timeout t(33'000);
    EXPECT_EQ(t.look(false, false, 500), 0u);
    EXPECT_EQ(t.look(true, false, 1'000), 0u);
    EXPECT_NE(t.look(true, true, 31'000), 0u);
    EXPECT_EQ(t.look(false, true, 31'500), 33'000u);
    EXPECT_EQ(t.look(false, false, 32'000), 0u);
    EXPECT_EQ(t.look(true, true, 40'000), 0u) << "counts anew";
}

TEST(user_timeout, one_who_keeps_up_costs_no_system_call) {
    user_timeout t(33'000);
    for (std::int64_t now = 1; now < 600'000; now += 500) EXPECT_EQ(t.look(now % 4'000 != 1, true, now), 0u);
}

TEST(user_timeout, for_ever_stays_for_ever) {
    user_timeout t(0);
    for (std::int64_t now = 1; now < 600'000; now += 500) EXPECT_EQ(t.look(true, true, now), 0u);
}

}  // namespace
}  // namespace pulsewire::shell
