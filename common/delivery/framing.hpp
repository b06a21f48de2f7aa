#pragma once

// How lines become what a peer understands, and how what waits for it counts.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace pulsewire::delivery {

// Shared: the same publication waits in the queues of many connections.
using shared_bytes = std::shared_ptr<const std::string>;

enum class framing : std::uint8_t {
    none,              // bytes go as they are
    websocket,         // lines become text messages of newline-joined lines
    websocket_binary,  // ... and those with payloads of bytes binary messages (docs/protocol.md 2.5)
    event_stream,      // lines become events with one data line each (8.1)
    plain,             // each payload is a message of its own; gaps cannot be told (10.1)
    cursor_events,     // each line becomes what an event_text_source makes of its message (8.4)
};
inline constexpr std::size_t framing_count = 6;

constexpr bool is_websocket(framing how) {
    return how == framing::websocket || how == framing::websocket_binary;
}

// Whether a payload of bytes becomes base64 in its lines.
constexpr bool is_text(framing how) {
    return how == framing::websocket || how == framing::event_stream;
}

// Live messages count against queue_bytes_max. What a client asked for out of a channel's history is bounded
// by itself, and counts against replay_bytes_max.
enum class counts : std::uint8_t { as_live, as_replay };

}  // namespace pulsewire::delivery
