#pragma once

// Connections that something is due for at the end of the turn.

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace pulsewire::shell {

class due_connections {
public:
    void add(std::uint64_t connection) { due_.push_back(connection); }
    // Those that were added since the last call, valid until the next one. What is done for them may add
    // connections again, for the next turn.
    std::span<const std::uint64_t> take() {
        taken_.clear();
        std::swap(due_, taken_);
        return taken_;
    }

private:
    std::vector<std::uint64_t> due_, taken_;
};

}  // namespace pulsewire::shell
