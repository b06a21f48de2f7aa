#pragma once

// What a connection speaks at the moment: HTTP at first, and then perhaps a WebSocket or an event stream for
// the rest of its life. The connection owns its conversation and calls it on the shard's thread; the
// conversation queues what it has to say in connection::out() and calls flush_soon().

#include "common/delivery/framing.hpp"
#include "common/exchange/message.hpp"
#include "common/protocol/codes.hpp"

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

namespace pulsewire::shell {

// The kinds of connections that metrics tell apart.
enum class transport : std::uint8_t { http, websocket, plain_websocket, sse, events, stream };
inline constexpr std::size_t transport_count = 6;
constexpr std::string_view name_of(transport t) {
    switch (t) {
        case transport::http:
            return "http";
        case transport::websocket:
            return "websocket";
        case transport::plain_websocket:
            return "plain_websocket";
        case transport::sse:
            return "sse";
        case transport::events:
            return "events";
        case transport::stream:
            return "stream";
    }
    return {};
}

class conversation {
public:
    explicit conversation(transport t) : transport_(t) {}
    virtual ~conversation() = default;
    conversation(const conversation&) = delete;
    conversation& operator=(const conversation&) = delete;

    transport kind() const { return transport_; }

    // It has taken over a connection: what it queues goes behind the answer that announced it.
    virtual void on_begin() {}
    // Bytes arrived. The buffer is the shard's: it may be written to, and is valid during the call only.
    virtual void on_bytes(std::span<char> bytes) = 0;
    // The peer sends nothing more.
    virtual void on_end() = 0;
    // The deadline that was set with connection::set_deadline() has passed.
    virtual void on_deadline() = 0;
    // Everything queued is with the kernel.
    virtual void on_drained() {}
    // There is room again after connection::wait_for_room(): what was left unread is to be read now.
    virtual void on_room() {}
    // More than queue_bytes_max waits and the peer does not take it.
    virtual void on_overflow() = 0;
    // The server goes down: end what needs no hub to be ended.
    virtual void on_drain() {}
    // The connection is gone, for whatever reason; nothing can be sent any more. The last call.
    virtual void on_lost() {}

    // A message of the hub for this connection; `how` it counts while it waits.
    virtual void on_message(const hub::message_ptr&, delivery::counts /*how*/) {}
    // The hub has ended this connection and forgotten it. Its close frame (protocol 7.1), if any, came as a
    // message.
    virtual void on_close(close_code, std::string_view /*reason*/) {}

private:
    transport transport_;
};

}  // namespace pulsewire::shell
