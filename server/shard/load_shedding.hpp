#pragma once

// Decides whether a loop takes new clients: not while what is due waits too long for its turn
// (shed_loop_lag_ms), because every client more makes all of them wait longer. Pure; twice a second the shard
// gives it the lag.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace pulsewire::shell {

class load_shedding {
public:
    // The lag is the median of so many measurements: one long turn refuses nobody.
    static constexpr std::size_t measurements = 3;

    // `bound_ms` 0: it takes everybody. Returns whether it began or ended to refuse.
    bool note(std::int64_t lag_ms, std::uint32_t bound_ms) {
        last_[next_++ % measurements] = lag_ms;
        const bool before = refuses_;
        // It ends at half of the bound, so that it does not come and go with those who were refused.
        const std::int64_t bound = refuses_ ? bound_ms / 2 : bound_ms;
        refuses_ = bound_ms != 0 && median() > bound;
        return refuses_ != before;
    }
    bool refuses() const { return refuses_; }
    std::int64_t median() const {
        auto sorted = last_;
        std::sort(sorted.begin(), sorted.end());
        return sorted[measurements / 2];
    }

private:
    std::array<std::int64_t, measurements> last_{};
    std::size_t next_ = 0;
    bool refuses_ = false;
};

}  // namespace pulsewire::shell
