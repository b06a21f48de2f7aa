#pragma once

// What one feed has done since the start. Any thread may read it.

#include <atomic>
#include <cstdint>
#include <string>

namespace pulsewire::shell {

struct feed_counters {
    std::string name;
    std::atomic<std::uint64_t> published{0};  // records that are messages of a channel now
    std::atomic<std::uint64_t> bad{0};        // records that can be none
    std::atomic<std::uint64_t> retries{0};    // publishes that were refused for now
    std::atomic<std::uint64_t> in_flight{0};  // records that were read and have no outcome yet
    std::atomic<bool> connected{false};       // the broker answers
    std::atomic<bool> reading{false};         // this server is the one that reads
};

}  // namespace pulsewire::shell
