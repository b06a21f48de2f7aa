#pragma once

// Shared by the queues of one shard: their bounds, the memory of queues that became empty, the compressor,
// and the counts of messages that wait and that were dropped.

#include "common/delivery/bounds.hpp"
#include "common/delivery/compressor.hpp"
#include "common/delivery/piece.hpp"
#include "common/delivery/waiting_memory.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace pulsewire::delivery {

class storage {
public:
    // All outlive the storage, and the storage its queues. Without a compressor nothing is compressed.
    explicit storage(const bounds& limits, compressor* with = nullptr) : bounds_(limits), compressor_(with) {}

    const bounds& limits() const { return bounds_; }
    compressor* compresses_with() const { return compressor_; }
    // How many messages left their queues unwritten, by policy.
    std::array<std::uint64_t, 3>& drops() { return drops_; }
    const std::array<std::uint64_t, 3>& drops() const { return drops_; }
    // Of the queues that cannot be written.
    waiting_memory& memory() { return memory_; }
    const waiting_memory& memory() const { return memory_; }

    // An idle connection holds no memory for its queue: the next one that needs some takes this.
    std::vector<piece> take();
    void give_back(std::vector<piece>&& pieces);

private:
    static constexpr std::size_t kept_max = 1'024;         // vectors; beyond: freed
    static constexpr std::size_t kept_capacity_max = 256;  // pieces of one vector; beyond: freed
    std::vector<std::vector<piece>> kept_;
    std::array<std::uint64_t, 3> drops_{};
    waiting_memory memory_;
    const bounds& bounds_;
    compressor* compressor_;
};

}  // namespace pulsewire::delivery
