#pragma once

#include <cstdint>

namespace pulsewire::hub {

// The two clocks, read by the shell: a monotonic one for waiting, and the wall clock for `time` fields.
struct instant {
    std::int64_t monotonic_ms = 0;
    std::int64_t wall_ms = 0;
};

}  // namespace pulsewire::hub
