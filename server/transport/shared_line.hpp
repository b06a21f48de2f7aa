#pragma once

// The line of a message as bytes for a queue, without copying.

#include "common/hub/message.hpp"
#include "server/net/outbound.hpp"
#include "server/shard/shard.hpp"

#include <string>
#include <string_view>
#include <utility>

namespace pulsewire::shell {

// Shares the message's ownership: the line lives as long as somebody has it queued.
inline shared_bytes line_of(hub::message_ptr m) {
    const std::string* line = &m->line;
    return shared_bytes(std::move(m), line);
}

// Queues a message of the hub as a line; `prefix`, a literal, stands before each one of the framing.
inline void push_message(
    shard& home, outbound& out, const hub::message_ptr& m, outbound::counts how, std::string_view prefix = {}
) {
    const auto line_writer = [prefix] {
        return [prefix](const hub::message& one, std::string& text) { (text += prefix) += one.line; };
    };
    if (!home.join(out, line_writer)) out.push_line(line_of(m), how, m.get());
}

}  // namespace pulsewire::shell
