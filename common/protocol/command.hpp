#pragma once

// The commands of clients (docs/protocol.md section 4), and the reading of one line into a command.

#include "common/base/result.hpp"
#include "common/protocol/codes.hpp"
#include "common/protocol/snapshot.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pulsewire {

enum class command_op : std::uint8_t {
    none,
    connect,
    refresh,
    subscribe,
    unsubscribe,
    publish,
    request,
    respond,
    cancel,
    history,
    presence,
    ping,
    pong
};

// What a WebSocket message is: lines, or lines some of which have a payload of bytes behind them (protocol
// 2.5).
enum class message_form : bool { text, binary };

// The members of a frame. Views point into the line or into the scratch string that was given with it; which
// members count depends on `op`.
struct command {
    command_op op = command_op::none;
    std::uint64_t id = 0;  // 0: none
    std::uint64_t version = 0;
    std::uint64_t offset = 0;
    std::uint64_t latest = 0;
    std::uint64_t limit = 0;       // 0: none
    std::uint64_t timeout_ms = 0;  // 0: none
    std::uint64_t time = 0;
    std::uint64_t request = 0;  // respond: the server's number of the request
    bool has_time = false;
    bool has_offset = false;
    bool presence = false;
    bool echo = true;
    bool transient = false;
    bool backwards = false;
    bool pongs = false;      // connect: pings are answered over SSE, too
    bool binary = false;     // the payload is bytes; connect: binary messages are understood (protocol 2.5)
    bool state = false;      // subscribe: from the newest snapshot on (4.29)
    snapshot_view snapshot;  // publish
    // publish: only if this is the offset of the newest publication of its key; 0: if there is none (4.32)
    std::uint64_t if_offset = 0;
    bool has_if_offset = false;
    std::string_view session, client, channel, type, key, epoch, conflate, to, after, token;
    std::string_view user;           // a publish over HTTP: who published it, by the word of the API's caller
    std::string_view code, message;  // respond: a refusal
    std::string_view payload;        // valid JSON without raw newlines, or bytes; empty JSON: none

    bool has_payload() const { return binary || !payload.empty(); }
};

// The reason why a line is not a command. `id` is the id of the line if it could be read.
struct command_error {
    error_code code = error_code::none;
    std::uint64_t id = 0;
    std::string message;
    std::string pointer;  // RFC 6901, into the payload; empty when the payload is not to blame
    // Bytes follow the line, and nobody knows how many: where the next frame begins cannot be told.
    bool has_unknown_bytes = false;
};

// Reads one line (protocol 3.1 to 3.5). Checks JSON, UTF-8, nesting, the types of members and the
// rules for names, but not whether the command is allowed now. Unescaped strings are put into
// `scratch`, whose old content is lost.
//
// `behind` are the bytes that follow the line in a binary message (protocol 2.5); nothing where none do.
result<command, command_error> read_command(
    std::string_view line, std::string& scratch, std::optional<std::string_view> behind = std::nullopt
);

// What counts against the limit of a frame: where a payload of bytes is base64, the bytes that it stands for.
std::size_t size_of(std::string_view line, const command& c);

// How many bytes follow this line of a binary message as its payload (protocol 2.5); nothing where none do.
std::optional<std::uint64_t> bytes_behind(std::string_view line);

// Reads the body of a publish over HTTP (protocol 11.1): only the members of 11.1, on any number of lines.
result<command, command_error> read_publish_body(std::string_view body, std::string& scratch);

// The id of a frame of which only the beginning is known (protocol 3.6); 0 when the id is not found in it.
std::uint64_t id_of_partial_frame(std::string_view head);

}  // namespace pulsewire
