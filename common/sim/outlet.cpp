#include "common/sim/outlet.hpp"

#include "common/protocol/event_stream.hpp"

#include <span>

namespace pulsewire::sim {

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
        for (auto e = reader_->next(left); e.kind != websocket::event_kind::more; e = reader_->next(left))
            whole(e.kind == websocket::event_kind::text ? e.data : "no text message");
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
        whole(lines);
    }
}

}  // namespace pulsewire::sim
