#pragma once

// When subscribers of a channel are asked for a snapshot of it (docs/protocol.md 4.29), and which shard's
// turn it is.

#include <cstddef>
#include <cstdint>

namespace pulsewire::hub {

class snapshot_wish {
public:
    // Whether what was published since the newest snapshot, in bytes, has grown so far that another one is
    // wanted: to half of what it may take, and by each sixteenth from there on.
    bool is_due(std::uint64_t bytes, std::uint64_t bytes_max) {
        if (bytes < asked_at_bytes_) asked_at_bytes_ = 0;
        if (bytes < bytes_max / 2 || bytes < asked_at_bytes_ + bytes_max / 16) return false;
        asked_at_bytes_ = bytes;
        return true;
    }
    // Which of so many is asked now.
    std::size_t turn_of(std::size_t many) { return turn_++ % many; }

private:
    std::uint64_t asked_at_bytes_ = 0;
    std::size_t turn_ = 0;
};

}  // namespace pulsewire::hub
