#include "common/sim/outlet.hpp"

#include "common/protocol/command.hpp"
#include "common/protocol/event_stream.hpp"
#include "common/sim/text.hpp"

#include <algorithm>
#include <span>

namespace pulsewire::sim {
namespace {

// A binary message (docs/protocol.md 2.5), each payload of bytes as the JSON that it is.
std::string lines_of_binary(std::string_view message) {
    std::string lines;
    while (!message.empty()) {
        const std::string_view line = message.substr(0, message.find('\n'));
        message.remove_prefix(std::min(message.size(), line.size() + 1));
        const auto bytes = bytes_behind(line);
        if (!bytes) {
            lines.append(in_plain(line)) += '\n';
            continue;
        }
        const std::string_view payload = message.substr(0, *bytes);
        message.remove_prefix(payload.size());
        lines.append(line.substr(0, line.rfind(','))).append(R"(,"payload":)").append(payload).append("}\n");
    }
    return lines;
}

}  // namespace

outlet::outlet(delivery::storage& of, hub::connection_ref to, hub::face speaks) : queue(of), who(to) {
    if (speaks == hub::face::protocol_stream) {
        queue.set_framing(delivery::framing::event_stream);
    } else {
        constexpr std::uint32_t message_bytes_max = 1 << 24;
        reader_.emplace(websocket::role::client, message_bytes_max);
        queue.set_framing(delivery::framing::websocket);
    }
}

void outlet::leave(std::string& bytes, const std::function<void(std::string_view lines)>& whole) {
    if (reader_) {
        std::span<char> left(bytes);
        for (auto e = reader_->next(left); e.kind != websocket::event_kind::more; e = reader_->next(left)) {
            const bool is_text = e.kind == websocket::event_kind::text;
            const bool may_be_binary = queue.framed_as() == delivery::framing::websocket_binary;
            if (is_text)
                whole(in_plain(e.data));
            else
                whole(may_be_binary ? lines_of_binary(e.data) : "no text message");
        }
        return;
    }
    partly_ += bytes;
    for (std::size_t end = 0; (end = partly_.find("\n\n")) != partly_.npos;) {
        std::string lines;
        for (std::size_t at = 0; at <= end;) {
            const std::size_t newline = partly_.find('\n', at);
            std::string_view line = std::string_view(partly_).substr(at, newline - at);
            if (line.starts_with(event_stream::data_prefix))
                line.remove_prefix(event_stream::data_prefix.size());
            (lines += line) += '\n';
            at = newline + 1;
        }
        partly_.erase(0, end + 2);
        whole(in_plain(lines));
    }
}

}  // namespace pulsewire::sim
