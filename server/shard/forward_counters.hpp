#pragma once

// What one forward has done since the start. Any thread may read it.

#include <atomic>
#include <cstdint>
#include <string>

namespace pulsewire::shell {

struct forward_counters {
    std::string name;
    std::atomic<std::uint64_t> forwarded{0};  // publications that the destination has
    std::atomic<std::uint64_t> refused{0};    // publications that it never takes
    std::atomic<std::uint64_t> lost{0};       // publications that were kept no more when their turn came
    std::atomic<std::uint64_t> channels{0};   // with something that the destination does not have yet
    std::atomic<std::uint64_t> in_flight{0};  // publications that were read and have no outcome yet
    std::atomic<bool> connected{false};       // the destination answers
    std::atomic<bool> forwarding{false};      // this server is the one that forwards
};

}  // namespace pulsewire::shell
