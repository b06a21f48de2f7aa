#include "common/sim/sim.hpp"

#include <gtest/gtest.h>

namespace pulsewire::sim {
namespace {

// What all runs together reached: a simulation that never gets somewhere proves nothing about it.
struct sum_of_runs {
    std::uint64_t steps = 0, duplicates = 0;
    int restarts = 0;
    peer::counters clients;

    void add(const sim& s) {
        steps += s.steps();
        duplicates += s.server_count().duplicates;
        restarts += s.restarts();
        const peer::counters c = s.count();
        clients.delivered += c.delivered;
        clients.replayed += c.replayed;
        clients.transient += c.transient;
        clients.published += c.published;
        clients.answered += c.answered;
        clients.failed += c.failed;
        clients.recovered += c.recovered;
        clients.lost += c.lost;
        clients.opened_sse += c.opened_sse;
        clients.withdrawn += c.withdrawn;
    }
};

#ifdef __EMSCRIPTEN__
constexpr std::uint64_t seeds = 200;
#else
constexpr std::uint64_t seeds = 1'000;
#endif

TEST(simulation, whatever_goes_wrong_everybody_comes_to_the_same_end) {
    sum_of_runs sum;
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
        sim s(seed);
        s.run();
        ASSERT_EQ(s.fault(), "") << "seed " << seed;
        sum.add(s);
    }
    RecordProperty("steps", std::to_string(sum.steps));
    EXPECT_GT(sum.duplicates, seeds / 10) << "publishes were repeated";
    EXPECT_GT(sum.restarts, static_cast<int>(seeds / 10));
    EXPECT_GT(sum.clients.delivered, 100 * seeds);
    EXPECT_GT(sum.clients.replayed, seeds);
    EXPECT_GT(sum.clients.recovered, seeds);
    EXPECT_GT(sum.clients.lost, seeds / 10);
    EXPECT_GT(sum.clients.transient, seeds);
    EXPECT_GT(sum.clients.answered, seeds);
    EXPECT_GT(sum.clients.failed, seeds);
    EXPECT_GT(sum.clients.opened_sse, seeds / 2);
    EXPECT_GT(sum.clients.withdrawn, seeds);
}

TEST(simulation, the_same_seed_takes_the_same_course) {
    const auto trace = [](std::uint64_t seed) {
        sim s(seed);
        s.run();
        return s.trace();
    };
    std::uint64_t all = 0;
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        const std::uint64_t first = trace(seed);
        EXPECT_EQ(trace(seed), first) << seed;
        all = all * 31 + first;
    }
    EXPECT_NE(trace(1), trace(2));
    // The reports of the native and of the WebAssembly run must show the same.
    RecordProperty("trace", std::to_string(all));
}

}  // namespace
}  // namespace pulsewire::sim
