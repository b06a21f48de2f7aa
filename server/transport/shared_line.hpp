#pragma once

// The line of a message as bytes for a queue, without copying.

#include "common/exchange/message.hpp"
#include "server/net/outbound.hpp"
#include "server/shard/fan_out.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace pulsewire::shell {

// Shares the message's ownership: the line lives as long as somebody has it queued.
inline shared_bytes line_of(hub::message_ptr m) {
    const std::string* line = &m->line;
    return shared_bytes(std::move(m), line);
}

// Queues a message of the hub as a line.
inline void push_message(outbound& out, const hub::message_ptr& m, outbound::counts how) {
    out.push_line(line_of(m), how, m.get());
}

// The run of lines that the queue may take part in; `prefix`, a literal, stands before each one.
inline std::shared_ptr<line_run> run_of_lines(
    gathering& all, const outbound& out, std::string_view prefix = {}
) {
    return all.run_for(out, [prefix] {
        return [prefix](const hub::message& one, std::string& text) { (text += prefix) += one.line; };
    });
}

}  // namespace pulsewire::shell
