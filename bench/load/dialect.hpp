#pragma once

// The protocol of a server: Pulsewire's own, and those of the servers that it is compared with. A dialect
// knows messages only; sockets, WebSocket frames and HTTP belong to the connection.

#include "common/protocol/websocket_frame.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "bench/load/stamp.hpp"

namespace pulsewire::bench {

// The role of a connection. A member publishes into the channel that it is subscribed to.
enum class part : std::uint8_t { subscriber, publisher, member };

// The operations of a dialect on its connection.
class talk {
public:
    // Sends a whole message to the server.
    virtual void say(std::string_view message) = 0;
    // Called once, when the connection is subscribed or ready to publish.
    virtual void settled() = 0;
    virtual void delivered(const stamp& s) = 0;
    // Delivers the stamps found anywhere in a part of the stream.
    virtual void find_deliveries(std::string_view bytes) = 0;
    // The server refused something. The connection continues.
    virtual void refused(std::string_view words) = 0;

    // The state of a conversation.
    part as = part::subscriber;
    bool is_settled = false;
    std::string channel;
    // The position that a Pulsewire subscriber adds to its subscribe: `,"epoch":"x7Qa","offset":19`.
    std::string resume;
    // The token that a Pulsewire client shows in its connect; empty: none.
    std::string_view token;

protected:
    ~talk() = default;
};

// Smaller numbers are for a dialect's own commands.
inline constexpr std::uint64_t publish_number_min = 10;

// The number of the publish that this line of Pulsewire's protocol acknowledges, if it does.
std::optional<std::uint64_t> acknowledged_number(std::string_view line);

class dialect {
public:
    virtual ~dialect() = default;

    // --- WebSocket
    virtual std::string websocket_path(part as, std::string_view channel) const = 0;
    virtual std::string_view subprotocol() const { return {}; }
    virtual websocket::opcode opcode() const { return websocket::opcode::text; }
    // Called after the upgrade: sends the commands that it takes to be settled.
    virtual void opened(talk& t) const = 0;
    virtual void received(talk& t, std::string_view message) const = 0;
    // Appends one message that publishes the payload, to be sent with publish_opcode(); `number` counts the
    // publishes of the connection, from publish_number_min on.
    virtual void append_publish(
        std::string& out, std::string_view channel, std::string_view payload, std::uint64_t number
    ) const = 0;
    virtual websocket::opcode publish_opcode() const { return opcode(); }

    // --- Server-sent events and HTTP; empty where the server has none.
    virtual std::string event_stream_path(std::string_view) const { return {}; }
    // Whether this part of the stream confirms the subscription.
    virtual bool settles(std::string_view) const { return true; }
    virtual std::string post_path(std::string_view) const { return {}; }
    virtual std::string_view post_content_type() const { return "application/json"; }
    virtual void append_post_body(std::string& out, std::string_view payload) const { out += payload; }
};

// "pulsewire", "plain", "socket.io", "nats" or "centrifugo"; null for another name. `payload_bytes` is the
// size of the payloads of this run. Those of filling::bytes go in binary messages; null for a dialect
// without.
std::unique_ptr<dialect> make_dialect(std::string_view name, std::size_t payload_bytes, filling filled_with);
inline constexpr std::string_view dialect_names = "pulsewire, plain, socket.io, nats, centrifugo";

}  // namespace pulsewire::bench
