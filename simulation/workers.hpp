#pragma once

// Runs the simulator on all cores, in processes, so that a seed that crashes or
// never ends is found like any other.

#include "common/sim/sim.hpp"

#include <cstdint>
#include <functional>
#include <string>

namespace pulsewire::simulation {

struct figures {
    std::uint64_t seeds = 0;
    std::uint64_t steps = 0;
    std::uint64_t trace = 0;  // of all runs, independent of their order
    std::int64_t slowest_healing_ms = 0;
    std::uint64_t slowest_healing_seed = 0;
    sim::sometimes reached;

    void add(std::uint64_t seed, const sim::sim& s);
    void add(const figures& other);
};

struct outcome {
    figures all;
    bool failed = false;
    std::uint64_t seed = 0;  // the first that failed
    std::string fault;
};

// Runs the seeds from `from` to before `until`, or up to the first that fails. `progress` is called twice a
// second with the number of seeds done.
outcome run_seeds(
    std::uint64_t from, std::uint64_t until, unsigned jobs, const std::function<void(std::uint64_t)>& progress
);

}  // namespace pulsewire::simulation
