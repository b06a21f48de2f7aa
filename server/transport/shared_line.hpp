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

// Queues a message of the hub as a line; `prefix` stands before each one of the framing.
inline void push_message(
    shard& home, outbound& out, const hub::message_ptr& m, outbound::counts how, std::string_view prefix = {}
) {
    const auto write = [&](std::string& text) { (text += prefix) += m->line; };
    if (const run_part* part = home.part_of(m, out.framed_as(), write)) return out.push_part(*part, m);
    out.push_line(line_of(m), how, m.get());
}

}  // namespace pulsewire::shell
