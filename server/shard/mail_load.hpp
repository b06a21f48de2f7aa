#pragma once

// How much the shards of a node posted to each other and did not receive yet (mail_bytes_total_max). Beyond
// the bound no client is read any more until half of it is received. Nearly all that is posted comes of what
// is read, so the sum stays below the bound and what each shard posts in a turn. Receiving never waits, so
// shards cannot wait for each other.
//
// All members may be called from any thread.

#include <atomic>
#include <cstdint>

namespace pulsewire::shell {

class mail_load {
public:
    explicit mail_load(std::uint64_t bytes_max) : bytes_max_(bytes_max) {}

    // Another bound from now on. What is paused goes on when half of the new one is received.
    void use(std::uint64_t bytes_max) { bytes_max_ = bytes_max; }

    bool has_room() const { return bytes_.load(std::memory_order_relaxed) <= bytes_max(); }
    void posted(std::uint64_t bytes) {
        if (bytes_.fetch_add(bytes) <= bytes_max() && !has_room()) ++pauses_;
    }
    // Whether reading goes on now, where it was stopped.
    bool received(std::uint64_t bytes) {
        const std::uint64_t before = bytes_.fetch_sub(bytes), half = bytes_max() / 2;
        return before > half && before - bytes <= half;
    }

    std::uint64_t bytes() const { return bytes_.load(std::memory_order_relaxed); }
    // How often the bound was reached.
    std::uint64_t pauses() const { return pauses_.load(std::memory_order_relaxed); }

private:
    std::uint64_t bytes_max() const { return bytes_max_.load(std::memory_order_relaxed); }

    std::atomic<std::uint64_t> bytes_max_;
    std::atomic<std::uint64_t> bytes_{0};
    std::atomic<std::uint64_t> pauses_{0};
};

}  // namespace pulsewire::shell
