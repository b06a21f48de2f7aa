#pragma once

// Who is silent: a process of which nothing was read while this node read several records of its own, over a
// time. A node that is paused or cut off reads none of its own, so it never finds others silent.

#include "common/cluster/registry.hpp"

#include <cstdint>
#include <map>
#include <optional>

namespace pulsewire::cluster {

// A process is gone when nothing of it was read for so long, in which this node read so many records of its
// own, each at least a time after the one before.
inline constexpr std::int64_t silent_ms = 5'000;
inline constexpr std::uint32_t silent_signs = 4;
inline constexpr std::int64_t silent_sign_ms = 900;

class silence {
public:
    // A record of this node was read back.
    void own_record(const registry& processes, process_id self, std::int64_t now_ms) {
        std::erase_if(since_, [&](const auto& s) { return processes.find(s.first) == nullptr; });
        for (const auto& [process, l] : processes.alive()) {
            if (process == self) continue;
            entry& e = since_[process];
            if (e.signs == 0 || e.last != l.last) {
                e = {l.last, 1, now_ms, now_ms};
            } else if (now_ms - e.sign_ms >= silent_sign_ms) {
                ++e.signs;
                e.sign_ms = now_ms;
            }
        }
    }
    // A process that is gone, once; it is found again if it is still listed later.
    std::optional<end> next(const registry& processes, std::int64_t now_ms) {
        for (auto& [process, e] : since_) {
            const life* const l = processes.find(process);
            if (l == nullptr || l->last != e.last || e.signs < silent_signs ||
                now_ms - e.since_ms <= silent_ms)
                continue;
            e.signs = 0;
            return end{process, e.last};
        }
        return std::nullopt;
    }
    void forget() { since_.clear(); }

private:
    struct entry {
        std::uint64_t last = 0;     // position of its newest record
        std::uint32_t signs = 0;    // own records read since
        std::int64_t since_ms = 0;  // when the first of them was read
        std::int64_t sign_ms = 0;   // ... and the last that was counted
    };

    std::map<process_id, entry> since_;
};

}  // namespace pulsewire::cluster
