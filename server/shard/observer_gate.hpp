#pragma once

// Keeps the queues of observers bounded (application_queue_max): what a client wants of the handlers is
// passed on, or its sender gets the answer that there is no room.

#include "common/exchange/output.hpp"
#include "server/shard/ports.hpp"

#include <optional>
#include <span>

namespace pulsewire::shell {

class observer_gate {
public:
    // `observers` is in the order of hub::config::observers, and outlives the gate.
    explicit observer_gate(std::span<observer_port* const> observers) : observers_(observers) {}

    struct verdict {
        bool passes = true;
        // What the sender is told where it does not pass; nothing where the sender wanted no answer.
        std::optional<hub::to_session> answer;
    };
    verdict judge(const hub::output::notice& n);

private:
    std::span<observer_port* const> observers_;
};

}  // namespace pulsewire::shell
