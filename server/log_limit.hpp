#pragma once

// Bounds the lines that clients can cause in the log, so that they do not fill it.

#include <cstdint>

namespace pulsewire::log {

class limit {
public:
    explicit limit(std::uint32_t lines_per_second) : lines_per_second_(lines_per_second) {}

    // Whether one more line may be written now. `now_ms` never goes back.
    bool admits(std::int64_t now_ms) {
        // A second begins with its first line.
        if (lines_ == 0 || now_ms - second_began_ms_ >= 1'000) {
            second_began_ms_ = now_ms;
            lines_ = 0;
        }
        if (lines_ == lines_per_second_) {
            ++left_out_;
            return false;
        }
        ++lines_;
        return true;
    }
    // One line is not written, for another reason.
    void leave_out() { ++left_out_; }
    // Lines that were not written since the last call.
    std::uint64_t take_left_out() {
        const std::uint64_t count = left_out_;
        left_out_ = 0;
        return count;
    }

private:
    std::uint32_t lines_per_second_;
    std::uint32_t lines_ = 0;  // of this second
    std::int64_t second_began_ms_ = 0;
    std::uint64_t left_out_ = 0;
};

}  // namespace pulsewire::log
