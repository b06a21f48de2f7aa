#pragma once

// Runs the simulator of many nodes over one shared log (common/cluster/sim), on threads.

#include <cstdint>

namespace pulsewire::simulation {

// Runs the seeds from `from` to before `until`, or up to the first that fails, and prints what came of it;
// the exit code of the program.
int run_clusters(std::uint64_t from, std::uint64_t until, unsigned jobs);

}  // namespace pulsewire::simulation
