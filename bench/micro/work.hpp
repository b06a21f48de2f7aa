#pragma once

// The hot functions, each as a piece of work that can be repeated: measured in time by Google Benchmark and
// counted in instructions under callgrind. The work is the same in every run.

#include <cstdint>
#include <functional>
#include <string>

namespace pulsewire::bench {

struct work {
    std::string name;
    // What one repetition is made of, for deliveries and the like: 1,000 for a publish to 1,000 subscribers.
    std::uint32_t items = 1;
    // Prepares everything and returns what does so many repetitions.
    std::function<std::function<void(std::uint64_t)>()> prepare;
};

// Keeps the compiler from leaving out what makes `value`.
template <class T>
inline void use(const T& value) {
    asm volatile("" : : "r,m"(value) : "memory");
}

}  // namespace pulsewire::bench
