#pragma once

// Checks the numbers that one subscriber gets from one publisher: from 0 on, each once and in order.

#include <cstdint>

namespace pulsewire::bench {

struct delivery_faults {
    std::uint64_t lost = 0;
    std::uint64_t reordered = 0;  // came after a later one
    std::uint64_t repeated = 0;   // came twice

    delivery_faults& operator+=(const delivery_faults& other) {
        lost += other.lost;
        reordered += other.reordered;
        repeated += other.repeated;
        return *this;
    }
    friend bool operator==(const delivery_faults&, const delivery_faults&) = default;
};

class sequence_check {
public:
    // Returns whether the number is new, as far as it is possible to know.
    bool take(std::uint32_t sequence) {
        if (sequence == next_) {
            ++next_;
            return true;
        }
        if (sequence > next_) {
            missing_ += sequence - next_;
            next_ = sequence + 1;
            return true;
        }
        if (missing_ == 0) {
            ++repeated_;
            return false;
        }
        --missing_;
        ++reordered_;
        return true;
    }

    // To be called when `published` messages were sent and no more will arrive.
    delivery_faults faults(std::uint32_t published) const {
        const std::uint64_t at_the_end = published > next_ ? published - next_ : 0;
        return {missing_ + at_the_end, reordered_, repeated_};
    }

private:
    std::uint32_t next_ = 0;
    std::uint32_t missing_ = 0;
    std::uint32_t reordered_ = 0;
    std::uint32_t repeated_ = 0;
};

}  // namespace pulsewire::bench
