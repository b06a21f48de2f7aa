#pragma once

// The state of one log as it must be, and which snapshots of it count (docs/protocol.md 4.29): the rules once
// more, by a model that keeps everything.

#include "common/sim/fold.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pulsewire::sim {

// A snapshot, or a part of one, as a peer offers it. The witness knows it by its type, which no other has and
// which its mark has, too.
struct snapshot_offer {
    std::string channel, epoch, payload;
    std::uint64_t covers = 0;
    std::uint32_t part = 1, parts = 1;
    std::string id;  // of all its parts
};

class state_truth {
public:
    struct whole {
        std::uint64_t since = 0;  // the offset of its last part
        std::uint64_t covers = 0;
        std::vector<std::uint64_t> parts;  // their offsets
    };

    // The next publication of the log. `s` is null if it is no snapshot. Returns whether several snapshots
    // are on their way at once.
    bool add(std::string_view payload, const snapshot_offer* s);

    std::uint64_t head() const { return folds_.size() - 1; }
    // What the publications up to there make. Precondition: offset <= head().
    const fold& at(std::uint64_t offset) const { return folds_[offset]; }
    // The snapshot that counted when the log had come so far; null: none did.
    const whole* newest_at(std::uint64_t head) const;
    std::uint64_t covers() const { return wholes_.empty() ? 0 : wholes_.back().covers; }
    bool is_of_newest(std::uint64_t offset) const;
    // Whether it is a part of this one, which is not whole and not forgotten.
    bool is_of(const snapshot_offer& s, std::uint64_t offset) const;

private:
    struct begun {
        std::string id;
        std::uint64_t covers = 0;
        std::vector<std::uint64_t> parts;  // 0: is not there
    };

    // Null: it covers less than those that have a place, and gets none.
    std::vector<std::uint64_t>* parts_of(const snapshot_offer& s);

    std::vector<fold> folds_{fold{}};
    std::vector<whole> wholes_;
    std::vector<begun> begun_;  // those of which parts are missing
};

}  // namespace pulsewire::sim
