#pragma once

// Keeps the application's queue bounded (application_queue_max): what a client wants of the handlers is
// passed on, or its sender is told that there is no room.

#include "common/hub/shard_message.hpp"
#include "server/shard/ports.hpp"

#include <optional>

namespace pulsewire::shell {

class application_gate {
public:
    // `application` is null where there are no handlers, and then everything passes.
    explicit application_gate(application_port* application) : application_(application) {}

    struct verdict {
        bool passes = true;
        // What the sender is told where it does not pass; nothing where the sender wanted no answer.
        std::optional<hub::reply> answer;
    };
    // Precondition: the message is for the application.
    verdict judge(const hub::shard_message& m);

private:
    application_port* application_;
};

}  // namespace pulsewire::shell
