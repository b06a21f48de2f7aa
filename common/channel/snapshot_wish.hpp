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
    // ... when a publish has found no room, at most once a second.
    bool is_due_when_full(std::int64_t now_ms) {
        if (asked_when_full_ms_ != never && now_ms - asked_when_full_ms_ < full_interval_ms) return false;
        asked_when_full_ms_ = now_ms;
        return true;
    }
    // Which of so many is asked now.
    std::size_t turn_of(std::size_t many) { return turn_++ % many; }

private:
    static constexpr std::int64_t full_interval_ms = 1'000, never = -1;

    std::uint64_t asked_at_bytes_ = 0;
    std::int64_t asked_when_full_ms_ = never;  // monotonic
    std::size_t turn_ = 0;
};

}  // namespace pulsewire::hub
