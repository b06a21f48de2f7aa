#pragma once

// The part of a turn of the loop that one kind of work may take. Whoever has work of unbounded length asks
// after each piece whether to leave the rest for the next turn, so that nobody waits long for what is short.

#include <chrono>

namespace pulsewire::shell {

class time_slice {
public:
    using clock = std::chrono::steady_clock;

    // Begins now. With 0 each piece of work has a turn of its own.
    explicit time_slice(std::chrono::milliseconds most) : end_(clock::now() + most) {}

    bool is_over() const { return clock::now() >= end_; }

private:
    clock::time_point end_;
};

}  // namespace pulsewire::shell
