#pragma once

// Reproducible random numbers (splitmix64). The caller owns the state and seeds it.

#include <cstdint>

namespace pulsewire {

constexpr std::uint64_t next_random(std::uint64_t& state) {
    state += 0x9e3779b97f4a7c15u;
    std::uint64_t x = state;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

// Uniform in [0, below); 0 when below is 0. The bias of the remainder is
// below 2^-32 for the bounds used here.
constexpr std::uint64_t next_random(std::uint64_t& state, std::uint32_t below) {
    return below == 0 ? 0 : next_random(state) % below;
}

}  // namespace pulsewire
