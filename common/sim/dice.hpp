#pragma once

// Random draws of a run, all from one seed.

#include "common/base/random.hpp"

#include <cstdint>

namespace pulsewire::sim {

class dice {
public:
    explicit dice(std::uint64_t seed) : state_(seed) {}

    std::uint64_t any() { return next_random(state_); }
    // In [0, bound); 0 when bound is 0.
    std::uint32_t below(std::uint32_t bound) {
        return static_cast<std::uint32_t>(next_random(state_, bound));
    }
    // In [low, high].
    std::uint32_t between(std::uint32_t low, std::uint32_t high) { return low + below(high - low + 1); }
    bool percent(std::uint32_t chance) { return below(100) < chance; }

private:
    std::uint64_t state_;
};

}  // namespace pulsewire::sim
