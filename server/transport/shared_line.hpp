#pragma once

// The line of a message as bytes for a queue, without copying.

#include "common/hub/message.hpp"
#include "server/net/outbound.hpp"

#include <utility>

namespace pulsewire::shell {

// Shares the message's ownership: the line lives as long as somebody has it queued.
inline shared_bytes line_of(hub::message_ptr m) {
    const std::string* line = &m->line;
    return shared_bytes(std::move(m), line);
}

}  // namespace pulsewire::shell
