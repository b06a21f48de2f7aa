#pragma once

// How long a transfer may take. Its progress is measured, not the whole of it: what is large takes its time
// on a slow link. A floor under the rate keeps a peer from dripping bytes for ever.

#include <algorithm>
#include <cstdint>

namespace pulsewire::shell {

class transfer_clock {
public:
    // `stall_ms` may pass without a byte, and once more in the whole where the rate is just the floor.
    // Without a floor (0) only the stall ends it.
    void begin(std::int64_t now_ms, std::uint32_t stall_ms, std::uint32_t bytes_per_second_min) {
        begun_ms_ = moved_ms_ = now_ms;
        stall_ms_ = stall_ms;
        floor_ = bytes_per_second_min;
        bytes_ = 0;
    }
    void moved(std::uint64_t bytes, std::int64_t now_ms) {
        if (bytes == 0) return;
        bytes_ += bytes;
        moved_ms_ = now_ms;
    }
    // The time at which the transfer has failed, if nothing moves before it.
    std::int64_t deadline_ms() const {
        const std::int64_t stalled = moved_ms_ + stall_ms_;
        if (floor_ == 0) return stalled;
        return std::min(stalled, begun_ms_ + stall_ms_ + static_cast<std::int64_t>(bytes_ * 1'000 / floor_));
    }

private:
    std::int64_t begun_ms_ = 0;
    std::int64_t moved_ms_ = 0;
    std::uint64_t bytes_ = 0;
    std::uint32_t stall_ms_ = 0;
    std::uint32_t floor_ = 0;
};

}  // namespace pulsewire::shell
