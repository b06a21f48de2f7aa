#pragma once

// Makes the lines that the hub sends, each a finished message with views into its own text.

#include "common/exchange/message.hpp"
#include "common/exchange/to_channel.hpp"
#include "common/protocol/limits.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace pulsewire::hub {

// A publication with its place, or, with offset 0, a message without one. `p.payload` is valid JSON.
// `when_slow` is what its namespace does for subscribers that are too slow.
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

// Only `type`, `channel` and `payload`: from the server to one connection.
message_ptr make_direct(std::string_view channel, std::string_view type, std::string_view payload);

message_ptr make_welcome(
    std::uint64_t id, std::string_view session, std::string_view secret, std::string_view server,
    const limits& bounds
);

struct subscribed_fields {
    std::uint64_t id = 0;
    std::string_view channel, epoch;
    std::uint64_t offset = 0;
    std::size_t replay = 0;
    bool asked_to_recover = false;
    std::string_view reason;  // empty: recovered
};
message_ptr make_subscribed(const subscribed_fields& f);

message_ptr make_unsubscribed(std::uint64_t id, std::string_view channel);

// Without epoch for a transient one.
message_ptr make_published(
    std::uint64_t id, std::string_view channel, std::string_view epoch, std::uint64_t offset
);

// `payload` is the JSON answer of a handler.
message_ptr make_response(std::uint64_t id, std::string_view payload);
// A request of another client, and that it is withdrawn (protocol 4.18).
message_ptr make_request(
    std::uint64_t number, std::string_view channel, std::string_view from, std::string_view type,
    std::uint32_t timeout_ms, std::string_view payload
);
message_ptr make_cancel(std::string_view channel, std::uint64_t number);

// `publications` is a JSON array.
message_ptr make_history(
    std::uint64_t id, std::string_view channel, std::string_view epoch, std::uint64_t head, bool more,
    std::string_view publications
);

// `members` is a JSON array; `id` 0 for the one that follows subscribed.
message_ptr make_members(std::uint64_t id, std::string_view channel, std::string_view members);
message_ptr make_join(std::string_view channel, std::string_view session, std::string_view info);
message_ptr make_leave(std::string_view channel, std::string_view session);

// `text` is for people; `pointer` is empty where the error concerns no place in a payload.
message_ptr make_error(
    std::uint64_t id, error_code code, std::string_view text, std::string_view pointer = {}
);

// Why publications are missing (protocol 5.4): "dropped" or "replaced".
std::string_view gap_reason(slow_consumer why);
// The marker for publications up to `offset` that a connection does not get; ends with a newline.
std::string make_gap(std::string_view channel, std::uint64_t offset, slow_consumer why);

message_ptr make_ping();
message_ptr make_pong(std::uint64_t id);

// Come back over another connection after that time, while this one still serves. `url`, where not empty, is
// where, and needs no escapes.
message_ptr make_drain(std::uint32_t after_ms, std::string_view url = {});

// `after_ms` 0: not told; `url` as above.
message_ptr make_close(
    close_code code, std::uint32_t after_ms, std::string_view text, std::string_view url = {}
);

}  // namespace pulsewire::hub
