#pragma once

// The state of a channel that keeps one, as the peers of a run make it of its publications: simple enough to
// be right, and another one after each publication that is missing, doubled or in another place.

#include "common/sim/trace.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace pulsewire::sim {

struct fold {
    std::uint64_t count = 0, hash = 0;

    void take(std::string_view payload) {
        trace_hash of;
        of.add(hash);
        of.add(payload);
        hash = of.value();
        ++count;
    }
    // What a snapshot says.
    std::string text() const { return std::to_string(count) + " " + std::to_string(hash); }
    friend bool operator==(const fold&, const fold&) = default;
};

}  // namespace pulsewire::sim
