#include "common/client/pacer.hpp"

#include <gtest/gtest.h>

namespace pulsewire::client {
namespace {

TEST(pacer, without_a_limit_lets_everything_pass) {
    pacer p;
    for (int i = 0; i < 10'000; ++i) ASSERT_TRUE(p.take(1, 0));
    EXPECT_EQ(p.ready_at(1, 7), 7);
}

// The server lets 2 * rate pass at once, and earns the rate in each second.
TEST(pacer, stays_within_what_the_server_counts) {
    for (const std::uint32_t rate : {1u, 3u, 10u, 1'000u}) {
        pacer p;
        p.begin(rate, 0);
        // The server's own account, in thousandths; `connect` and a pong in ten seconds are paid from it.
        std::int64_t credit = 2'000 * std::int64_t{rate} - 1'000, sent = 0;
        for (time_ms now = 0; now < 20'000; ++now) {
            while (p.take(1, now)) {
                credit -= 1'000;
                ++sent;
            }
            ASSERT_GE(credit, -1'000 * (rate == 1)) << "rate " << rate << " at " << now;
            credit = std::min(credit + rate, 2'000 * std::int64_t{rate});
        }
        EXPECT_GE(sent, 20 * std::int64_t{rate} * 85 / 100) << "and uses most of it";
    }
}

TEST(pacer, tells_when_it_can_be_paid) {
    pacer p;
    p.begin(10, 1'000);
    while (p.take(1, 1'000)) continue;
    const time_ms ready = p.ready_at(10, 1'000);
    EXPECT_FALSE(p.take(10, ready - 1));
    EXPECT_TRUE(p.take(10, ready));
    EXPECT_GT(p.ready_at(1, ready), ready);
}

TEST(pacer, what_costs_more_than_a_second_costs_a_second) {
    pacer p;
    p.begin(3, 0);
    EXPECT_TRUE(p.take(10, 0));
    EXPECT_FALSE(p.take(10, 0));
    EXPECT_TRUE(p.take(10, 2'000));
}

TEST(pacer, a_refusal_empties_it) {
    pacer p;
    p.begin(10, 0);
    p.spend_all(0);
    EXPECT_FALSE(p.take(1, 0));
    EXPECT_TRUE(p.take(1, p.ready_at(1, 0)));
}

}  // namespace
}  // namespace pulsewire::client
