#pragma once

// The client's reading of one line from the server (docs/protocol.md 3.2): only the members before the
// payload, without unescaping or copying anything. Strings are slices, because the host (JavaScript) has the
// line as a string of its own and cuts that string.

#include "common/base/slice.hpp"
#include "common/protocol/codes.hpp"

#include <cstdint>
#include <string_view>

namespace pulsewire {

enum class server_op : std::uint8_t {
    message,  // no "op": a publication or a direct message
    welcome,
    subscribed,
    unsubscribed,
    published,
    response,
    history,
    presence,
    join,
    leave,
    gap,
    error,
    ping,
    pong,
    close,
    drain,
    request,  // of another client: `id` is the number to answer with, `session` is the asker's
    cancel,   // ... and its withdrawal
    refreshed,
    refresh_wanted,  // `after_ms` is the time that the server leaves for it
    subscribe,       // the server asks the client to subscribe (4.26)
    position,        // of a live subscription (4.27)
    degraded,        // the server does not reach its broker (4.28)
    restored,
    snapshot_wanted,  // (4.29)
    unknown,          // of a later version: ignored
};

// The members of a frame that the application gets.
struct frame_contents {
    std::uint64_t offset = 0;
    std::uint64_t time = 0;
    // `session` is `from` in requests, and in messages what they are the latest of, `conflate`.
    slice type, payload, epoch, session, reason;
    slice code;  // error: the name of its code
    slice message, pointer;
    slice user;       // the server's word on who it was
    slice user_info;  // what the token of that user shows, a JSON value
};

struct server_frame : frame_contents {
    server_op op = server_op::message;
    bool has_offset = false;
    bool recovered = false;
    bool has_recovered = false;
    bool degraded = false;    // welcome
    std::uint32_t close = 0;  // close: the close code
    std::uint64_t id = 0;
    std::uint64_t replay = 0;  // subscribed: the number of publications that follow from history
    std::uint64_t ping_ms = 0, pong_ms = 0, message_bytes_max = 0, after_ms = 0;
    std::uint64_t commands_per_second = 0;
    std::uint64_t covers = 0;  // a mark in the place of a snapshot (4.29)
    // A part of the snapshot that a subscription begins with; 0: it is none.
    std::uint64_t part = 0, parts = 0;
    std::uint64_t expires_in_ms = 0;  // welcome, refreshed: the time for which the token counts; 0: no end
    slice channel, except, url;
};

// Reads `header`: the line up to and including `"payload":`, or the whole line when it has no payload.
// `line_bytes` is the length of the whole line without its newline. False when it is not a frame as the
// server writes them; the host then treats the connection as broken.
bool read_server_frame(std::string_view header, std::uint32_t line_bytes, server_frame& frame);

}  // namespace pulsewire
