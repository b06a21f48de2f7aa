#pragma once

// Connections that wait in line for one kind of work, which has its slice of each turn.

#include "server/base/time_slice.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>

namespace pulsewire::shell {

class waiting_line {
public:
    void add(std::uint64_t connection) { line_.push_back(connection); }
    void add(std::span<const std::uint64_t> connections) {
        line_.insert(line_.end(), connections.begin(), connections.end());
    }
    // Calls `work(connection)` for one after the other, at least once and until the slice is over. Those that
    // are left are the first ones of the next call. What the work adds has its turn in this call, too, if
    // there is time.
    template <class Work>
    void serve(const time_slice& slice, Work&& work) {
        while (!line_.empty()) {
            const std::uint64_t next = line_.front();
            line_.pop_front();
            work(next);
            if (slice.is_over()) return;
        }
    }
    bool empty() const { return line_.empty(); }
    // Those that came last, at most `most`.
    template <class Visit>
    void each_of_last(std::size_t most, Visit&& visit) const {
        for (std::size_t i = line_.size() - std::min(most, line_.size()); i < line_.size(); ++i)
            visit(line_[i]);
    }

private:
    std::deque<std::uint64_t> line_;
};

}  // namespace pulsewire::shell
