#include "common/sim/sim.hpp"

#include <gtest/gtest.h>

#include <iomanip>
#include <sstream>

namespace pulsewire::sim {
namespace {

// Here for the sanitizers and for WebAssembly; script/simulate runs many more.
#ifdef __EMSCRIPTEN__
constexpr std::uint64_t seeds = 200;
#else
constexpr std::uint64_t seeds = 250;
#endif

TEST(simulation, whatever_goes_wrong_everybody_comes_to_the_same_end) {
    sometimes reached;
    std::uint64_t steps = 0;
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
        sim s(seed);
        s.run();
        ASSERT_EQ(s.fault(), "") << "seed " << seed;
        reached.add(s.reached());
        steps += s.steps();
    }
    RecordProperty("steps", std::to_string(steps));
    for (std::size_t i = 0; i < situations; ++i) {
        const auto situation = static_cast<enum situation>(i);
        EXPECT_NE(reached[situation], 0u) << "never reached: " << name_of(situation);
    }
}

// Seeds that failed once. A seed takes another course when the drawing changes, so a fault found this way
// gets a test of its own beside the code, too.
TEST(simulation, seeds_that_failed_once) {
    static constexpr std::uint64_t failed_once[] = {6,   127,  165,   188,   262,    290,   565,
                                                    820, 4790, 12181, 18285, 665818, 697527};
    for (const std::uint64_t seed : failed_once) {
        sim s(seed);
        s.run();
        EXPECT_EQ(s.fault(), "") << "seed " << seed;
    }
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
        all += first * (2 * seed + 1);
    }
    EXPECT_NE(trace(1), trace(2));
    // script/test holds that of the WebAssembly run against `script/simulate --seeds 20`.
    std::ostringstream text;
    text << std::hex << std::setw(16) << std::setfill('0') << all;
    RecordProperty("courses", text.str());
}

}  // namespace
}  // namespace pulsewire::sim
