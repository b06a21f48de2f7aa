#include "common/client/reconnect.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <vector>

namespace pulsewire::client {
namespace {

// --- backoff (protocol 9.1) ---

TEST(backoff, waits_between_its_floor_and_a_ceiling_that_doubles) {
    constexpr std::uint32_t ceilings[] = {500, 1'000, 2'000, 4'000, 8'000, 16'000, 20'000, 20'000, 20'000};
    for (std::size_t failures = 0; failures < std::size(ceilings); ++failures) {
        std::uint32_t least = UINT32_MAX, most = 0;
        std::uint64_t sum = 0;
        for (std::uint64_t seed = 0; seed < 2'000; ++seed) {
            backoff b({}, seed);
            for (std::size_t i = 0; i < failures; ++i) b.fail();
            const std::uint32_t delay = b.fail();
            least = std::min(least, delay);
            most = std::max(most, delay);
            sum += delay;
        }
        EXPECT_EQ(least, failures < 6 ? 100u : least) << "full jitter begins at nothing, but for the floor";
        EXPECT_GE(least, 100u);
        EXPECT_LE(most, ceilings[failures]);
        EXPECT_GT(most, ceilings[failures] * 98 / 100) << "the whole range is used";
        const double mean = static_cast<double>(sum) / 2'000;
        EXPECT_NEAR(mean, ceilings[failures] / 2.0, ceilings[failures] * 0.05) << "evenly";
    }
}

TEST(backoff, goes_on_for_ever_without_overflowing) {
    backoff b({}, 1);
    for (int i = 0; i < 10'000; ++i) EXPECT_LE(b.fail(), 20'000u);
    EXPECT_EQ(b.failures(), 10'000u);
    EXPECT_FALSE(b.exhausted());
}

TEST(backoff, a_stable_connection_makes_the_next_failure_the_first) {
    backoff b({}, 1);
    for (int i = 0; i < 5; ++i) b.fail();
    b.succeeded_for(9'999);
    EXPECT_EQ(b.failures(), 5u);
    b.succeeded_for(10'000);
    EXPECT_EQ(b.failures(), 0u);
    EXPECT_LE(b.fail(), 500u);
}

TEST(backoff, gives_up_when_told_to) {
    backoff_options options;
    options.attempts_max = 3;
    backoff b(options, 1);
    b.fail();
    b.fail();
    EXPECT_FALSE(b.exhausted());
    b.fail();
    EXPECT_TRUE(b.exhausted());
}

TEST(backoff, takes_any_bounds) {
    const auto delays = [](std::uint32_t min_ms, std::uint32_t max_ms, std::uint32_t floor_ms) {
        backoff_options options;
        options.min_ms = min_ms;
        options.max_ms = max_ms;
        options.floor_ms = floor_ms;
        backoff b(options, 1);
        std::uint32_t most = 0;
        for (int i = 0; i < 50; ++i) most = std::max(most, b.fail());
        return most;
    };
    EXPECT_EQ(delays(0, 0, 0), 0u);
    EXPECT_EQ(delays(500, 20'000, 30'000), 30'000u);
    EXPECT_LE(delays(500, 100, 0), 100u);
    EXPECT_GT(delays(UINT32_MAX, UINT32_MAX, 0), 1'000'000'000u);
}

// --- the choice of transport ---

struct picking {
    explicit picking(transport_choice choice = transport_choice::automatic) : picker(choice) {}

    // The next attempts fail to open.
    void fails(int times) {
        for (int i = 0; i < times; ++i) picker.failed();
    }
    // The next attempt opens and lives for so long.
    void lives(time_ms ms, bool silently = true) {
        picker.opened(now);
        now += ms;
        picker.lost(silently, now);
    }
    bool websocket() const { return picker.next() == transport::websocket; }

    transport_picker picker;
    time_ms now = 1'000;
};

constexpr time_ms long_enough = 60'000;

TEST(transport_picker, begins_with_websocket_and_falls_back_to_sse_when_it_is_blocked) {
    picking p;
    EXPECT_TRUE(p.websocket());
    p.fails(1);
    EXPECT_FALSE(p.websocket());
}

TEST(transport_picker, tries_both_in_turn_when_neither_works) {
    picking p;
    for (int i = 0; i < 10; ++i) {
        EXPECT_EQ(p.websocket(), i % 2 == 0) << i;
        p.fails(1);
    }
}

TEST(transport_picker, stays_with_what_was_asked_for) {
    picking websocket(transport_choice::websocket), sse(transport_choice::sse);
    for (picking* p : {&websocket, &sse}) {
        p->fails(20);
        for (int i = 0; i < 20; ++i) p->lives(10);
        p->lives(10 * long_enough);
    }
    EXPECT_TRUE(websocket.websocket());
    EXPECT_FALSE(sse.websocket());
}

TEST(transport_picker, a_server_that_is_down_is_no_reason_to_leave_a_websocket_that_worked) {
    picking p;
    p.lives(long_enough);
    for (int i = 0; i < 3; ++i) {
        EXPECT_TRUE(p.websocket());
        p.fails(1);
    }
    EXPECT_TRUE(p.websocket());
    p.fails(1);
    EXPECT_FALSE(p.websocket()) << "after four times, perhaps it is blocked now";
    p.fails(1);
    for (int i = 0; i < 4; ++i) {
        EXPECT_TRUE(p.websocket()) << "SSE does not work either: the server is down, and comes back for both";
        p.fails(1);
    }
    EXPECT_FALSE(p.websocket());
    p.fails(1);
    EXPECT_TRUE(p.websocket());
    p.lives(long_enough);
    p.fails(3);
    EXPECT_TRUE(p.websocket()) << "patient again after it opened";
}

TEST(transport_picker, a_websocket_that_keeps_breaking_soon_is_left) {
    picking p;
    p.lives(4'999);
    p.lives(4'999);
    EXPECT_TRUE(p.websocket());
    p.lives(4'999);
    EXPECT_FALSE(p.websocket()) << "a proxy that lets the upgrade pass, and then nothing";
    p.lives(10'000);
    EXPECT_FALSE(p.websocket()) << "SSE is better than that";
}

TEST(transport_picker, only_short_and_silent_lives_in_a_row_count) {
    picking p;
    for (int i = 0; i < 10; ++i) {
        p.lives(100);
        p.lives(100);
        p.lives(i % 2 == 0 ? 5'000 : 100, i % 2 == 0);
        EXPECT_TRUE(p.websocket());
    }
}

TEST(transport_picker, goes_back_to_websocket_after_a_while_of_sse) {
    picking p;
    p.fails(1);
    p.lives(5 * 60'000 - 1);
    EXPECT_FALSE(p.websocket());
    p.lives(5 * 60'000);
    EXPECT_TRUE(p.websocket());
    p.fails(1);
    EXPECT_FALSE(p.websocket()) << "still blocked: one attempt is enough to see it";
}

TEST(transport_picker, goes_back_at_the_first_loss_to_a_websocket_that_worked_before) {
    picking p;
    p.lives(long_enough);
    p.fails(4);
    EXPECT_FALSE(p.websocket());
    p.lives(1'000);
    EXPECT_TRUE(p.websocket());
}

}  // namespace
}  // namespace pulsewire::client
