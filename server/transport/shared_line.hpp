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

// Queues a message of the hub as it is, for connections that speak in frames.
inline void push_message(outbound& out, hub::message_ptr m, outbound::counts how) {
    const hub::message* what = m.get();
    out.push_line(line_of(std::move(m)), how, what);
}

}  // namespace pulsewire::shell
