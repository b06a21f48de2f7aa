#pragma once

// Bounds what the broker reported and the loops did not receive yet: beyond it the broker's thread waits, and
// the broker with it. Any thread may call any member.

#include "common/cluster/broker_port.hpp"

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <variant>

namespace pulsewire::shell {

class broker_mail {
public:
    static constexpr std::uint64_t bytes_max = 64u << 20;

    // Returns when there is room for more, or after end().
    void posted(std::uint64_t bytes) {
        std::unique_lock lock(mutex_);
        bytes_ += bytes;
        room_.wait(lock, [this] { return ended_ || bytes_ <= bytes_max; });
    }
    void received(std::uint64_t bytes) {
        const std::lock_guard lock(mutex_);
        bytes_ -= bytes;
        if (bytes_ <= bytes_max) room_.notify_all();
    }
    // Nobody receives any more.
    void end() {
        const std::lock_guard lock(mutex_);
        ended_ = true;
        room_.notify_all();
    }

private:
    std::mutex mutex_;
    std::condition_variable room_;
    std::uint64_t bytes_ = 0;
    bool ended_ = false;
};

// About the memory that a report takes while it waits.
inline std::uint64_t memory_of(const cluster::from_broker& m) {
    const auto* const record = std::get_if<cluster::record_read>(&m.what);
    return sizeof m + (record == nullptr ? 0 : record->bytes.size());
}

}  // namespace pulsewire::shell
