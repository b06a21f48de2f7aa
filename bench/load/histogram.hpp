#pragma once

// Counts values in steps of 1/128 of their size, so percentiles of any number of latencies take
// little memory and are exact to 0.8 %.

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace pulsewire::bench {

class histogram {
public:
    void add(std::uint64_t value) {
        const std::size_t at = slot_of(value);
        if (at >= counts_.size()) counts_.resize(at + 1);
        ++counts_[at];
        ++count_;
        max_ = std::max(max_, value);
    }

    std::uint64_t count() const { return count_; }
    // The exact maximum.
    std::uint64_t max() const { return max_; }

    // The smallest value that `share` (0 to 1) of all values do not exceed; never
    // more than max(). 0 without values.
    std::uint64_t percentile(double share) const {
        const double exact = share * static_cast<double>(count_);
        std::uint64_t wanted = static_cast<std::uint64_t>(exact);
        if (static_cast<double>(wanted) < exact || wanted == 0) ++wanted;
        std::uint64_t seen = 0;
        for (std::size_t at = 0; at < counts_.size(); ++at) {
            seen += counts_[at];
            if (seen >= wanted) return std::min(last_of(at), max_);
        }
        return max_;
    }

private:
    static constexpr unsigned step_bits = 7;
    static constexpr std::uint64_t steps = 1u << step_bits;

    // Each value below 128 has a slot of its own; each doubling above has 128 slots.
    static std::size_t slot_of(std::uint64_t value) {
        if (value < steps) return static_cast<std::size_t>(value);
        const unsigned shift = static_cast<unsigned>(std::bit_width(value)) - step_bits - 1;
        return static_cast<std::size_t>(steps * shift + (value >> shift));
    }
    // The greatest value of a slot.
    static std::uint64_t last_of(std::size_t slot) {
        if (slot < 2 * steps) return slot;
        const std::uint64_t shift = slot / steps - 1;
        return ((slot - steps * shift + 1) << shift) - 1;
    }

    std::vector<std::uint64_t> counts_;
    std::uint64_t count_ = 0;
    std::uint64_t max_ = 0;
};

}  // namespace pulsewire::bench
