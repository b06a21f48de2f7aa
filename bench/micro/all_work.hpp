#pragma once

// Every piece of work there is, in the order in which it is measured.

#include <vector>

#include "bench/micro/work.hpp"

namespace pulsewire::bench {

std::vector<work> all_work();

}  // namespace pulsewire::bench
