#pragma once

// Makes the lines that the hub sends. Each is a finished message with places in its own text.

#include "common/exchange/message.hpp"
#include "common/exchange/to_channel.hpp"
#include "common/protocol/limits.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pulsewire::hub {

// A publication with its offset, or a message without a place when `offset` is 0.
// `when_slow` is the policy of its namespace for subscribers that are too slow.
message_ptr make_message(
    const publish_view& p, std::uint64_t offset, std::int64_t wall_ms,
    slow_consumer when_slow = slow_consumer::disconnect
);
inline message_ptr make_message(
    const publish& p, std::uint64_t offset, std::int64_t wall_ms,
    slow_consumer when_slow = slow_consumer::disconnect
) {
    return make_message(p.as<std::string_view>(), offset, wall_ms, when_slow);
}

// --- snapshots (protocol 4.29) ---

// What the publication says to be; nothing where it is no snapshot. Views into the message.
snapshot_view snapshot_of(const message& m);
// What subscribers get in place of the snapshot, whose state they have: its offset and no payload.
message_ptr make_snapshot_mark(const message& m);
// A part of the snapshot for those who begin with it. The last one has the offset that the snapshot covers.
message_ptr make_snapshot_part(const message& m);
// Asks a subscriber for a snapshot.
message_ptr make_snapshot_wanted(std::string_view channel);

// A message from the server to one connection, with `type`, `channel` and `payload` only.
message_ptr make_direct(
    std::string_view channel, std::string_view type, std::string_view payload, bool binary = false
);

// The line of a message for those who understand no binary messages: a payload of bytes as base64 (protocol
// 2.5). Precondition: m.binary.
std::string text_line(const message& m);
// The same, or the line as it is, without its newline.
void append_json(std::string& to, const message& m);

struct welcome_fields {
    std::uint64_t id = 0;
    std::string_view session = {}, secret = {}, server = {};
    std::string_view user = {};       // empty: unknown
    std::uint64_t expires_in_ms = 0;  // of the token; 0: there is none
    bool degraded = false;            // make_standing()
    bool binary = false;              // the client said that it understands binary messages
};
message_ptr make_welcome(const welcome_fields& f, const limits& bounds);

message_ptr make_refreshed(std::uint64_t id, std::uint64_t expires_in_ms);
// Asks the client to refresh its token within that time (protocol 4.22).
message_ptr make_refresh_wanted(std::uint32_t within_ms, std::string_view reason);

// Asks the client to subscribe to the channel (protocol 4.26).
message_ptr make_subscribe(std::string_view channel);

struct subscribed_fields {
    std::uint64_t id = 0;
    std::string_view channel, epoch;
    std::uint64_t offset = 0;
    std::size_t replay = 0;
    bool asked_to_recover = false;
    std::string_view reason;  // empty: recovered
    // Where the publications of the replay begin, if a snapshot before them leads there.
    std::optional<std::uint64_t> tail_from = {};
};
message_ptr make_subscribed(const subscribed_fields& f);

// The position of a live subscription has another name, or publications are missing before it (protocol
// 4.27). `reason` is empty where none is missing.
message_ptr make_position(
    std::string_view channel, std::string_view epoch, std::uint64_t offset, std::string_view reason
);
// The server does not reach its broker, or does again (4.28). The reason is the operator's alone: it names
// the broker, and clients may be anybody.
message_ptr make_standing(bool is_degraded);

// The answer to `unsubscribe`, or with a reason and without an id the end that the server makes.
message_ptr make_unsubscribed(std::uint64_t id, std::string_view channel, std::string_view reason = {});

// `epoch` and `offset` are left out for a transient message, whose offset is 0.
message_ptr make_published(
    std::uint64_t id, std::string_view channel, std::string_view epoch, std::uint64_t offset
);

// `payload` is the answer of a handler, JSON or bytes.
message_ptr make_response(std::uint64_t id, std::string_view payload, bool binary = false);
// A request of another client, and its withdrawal (protocol 4.18, 4.19).
message_ptr make_request(std::uint64_t number, const ask& what);
message_ptr make_cancel(std::string_view channel, std::uint64_t number);

// `publications` is a JSON array.
message_ptr make_history(
    std::uint64_t id, std::string_view channel, std::string_view epoch, std::uint64_t head, bool more,
    bool missed, std::string_view publications
);

// `members` is a JSON array; `id` is 0 for the list that follows `subscribed`.
// With an id the answer to a query, without one an event. `more` says whether other members follow.
message_ptr make_members(
    std::uint64_t id, std::string_view channel, std::string_view members, bool more = false
);
message_ptr make_join(std::string_view channel, std::string_view session, const shown& as);
message_ptr make_leave(std::string_view channel, std::string_view session);

// `text` is for people; `pointer` is empty when the error concerns no place in a payload; `offset` is that of
// the publication that stands in the way, 0 for none.
message_ptr make_error(
    std::uint64_t id, error_code code, std::string_view text, std::string_view pointer = {},
    std::uint64_t offset = 0
);

// The reason why publications are missing (protocol 5.4): "dropped" or "replaced".
std::string_view gap_reason(slow_consumer why);
// The marker for publications up to `offset` that a connection does not get; ends with a newline.
std::string make_gap(std::string_view channel, std::uint64_t offset, slow_consumer why);

message_ptr make_ping();
message_ptr make_pong(std::uint64_t id);

// Asks the client to open another connection after `after_ms` while this one still serves. `url` is the
// address to go to, empty for the same one; it needs no escapes.
message_ptr make_drain(std::uint32_t after_ms, std::string_view url = {});

// `after_ms` is left out when it is 0; `url` is as above. `reason` is a word for the client (4.22).
message_ptr make_close(
    close_code code, std::uint32_t after_ms, std::string_view text, std::string_view url = {},
    std::string_view reason = {}
);
// When the client of a close message is to come back; 0: it names no moment.
std::uint32_t after_ms_of(const message& close);
// Whether the client of a close message is to come back.
bool comes_back_after(const message& close);

}  // namespace pulsewire::hub
