#pragma once

// Virtual time: what is to happen, in order. Things at the same moment happen in the order in which they were
// planned, so that a run can be repeated exactly.

#include <algorithm>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

namespace pulsewire::sim {

// The server's wall clock when a run begins.
inline constexpr std::int64_t wall_clock_begin_ms = 1'700'000'000'000;

class timeline {
public:
    // Milliseconds since the run began.
    std::int64_t now() const { return now_; }
    // How many things happened so far.
    std::uint64_t steps() const { return steps_; }

    void after(std::int64_t ms, std::function<void()> what) { at(now_ + ms, std::move(what)); }
    // Not before now.
    void at(std::int64_t ms, std::function<void()> what) {
        plans_.push_back({std::max(ms, now_), planned_++, std::move(what)});
        std::push_heap(plans_.begin(), plans_.end(), later);
    }

    // The next thing happens, if it is due by `until`; false when nothing is.
    bool step(std::int64_t until) {
        if (plans_.empty() || plans_.front().at > until) return false;
        std::pop_heap(plans_.begin(), plans_.end(), later);
        const plan next = std::move(plans_.back());
        plans_.pop_back();
        now_ = next.at;
        ++steps_;
        next.what();
        return true;
    }
    void run(std::int64_t until) {
        while (step(until)) continue;
        now_ = std::max(now_, until);
    }

private:
    struct plan {
        std::int64_t at;
        std::uint64_t sequence;
        std::function<void()> what;
    };

    static bool later(const plan& a, const plan& b) {
        return a.at != b.at ? a.at > b.at : a.sequence > b.sequence;
    }

    std::int64_t now_ = 0;
    std::uint64_t steps_ = 0;
    std::uint64_t planned_ = 0;
    std::vector<plan> plans_;  // a heap
};

}  // namespace pulsewire::sim
