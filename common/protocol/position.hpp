#pragma once

// A position in a channel's stream (docs/protocol.md 1.1, 1.4): the epoch changes when the log was lost, the
// offset counts publications.

#include <cstdint>
#include <string>

namespace pulsewire {

struct position {
    std::string epoch;
    std::uint64_t offset = 0;
    friend bool operator==(const position&, const position&) = default;
};

}  // namespace pulsewire
