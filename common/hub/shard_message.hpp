#pragma once

// What shards, and the application, tell each other: plain values. A value posted from one shard to another
// arrives after those posted there earlier (first in, first out); the order that clients see rests on this.

#include "common/hub/message.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace pulsewire::hub {

using shard_index = std::uint16_t;

// The application: the thread on which a program's handlers run. Not a shard, but addressed like one.
inline constexpr shard_index application = 0xffff;

// A connection, anywhere in the node; the shell chooses `value` freely, unique for the life of the process.
struct connection_ref {
    shard_index shard = 0;
    std::uint64_t value = 0;
    friend bool operator==(const connection_ref&, const connection_ref&) = default;
};

// A subscription's name in the whole node. Tokens count up from 1 on each shard and stay far below 2^48.
constexpr std::uint64_t node_wide(shard_index shard, std::uint64_t token) {
    return std::uint64_t{shard} << 48 | token;
}
constexpr shard_index shard_of(std::uint64_t node_wide) {
    return static_cast<shard_index>(node_wide >> 48);
}
constexpr std::uint64_t token_of(std::uint64_t node_wide) {
    return node_wide & ((std::uint64_t{1} << 48) - 1);
}

// --- to the shard that owns the channel ---

struct attach {
    connection_ref from;
    std::uint64_t id = 0;     // of the subscribe command
    std::uint64_t token = 0;  // tells this subscription from an earlier one of the same connection
    std::string channel;
    bool has_position = false;
    std::string epoch;
    std::uint64_t offset = 0;
    std::uint32_t latest = 0;
    bool wants_presence = false;
    std::string session;      // with info: who to list
    std::string info;         // JSON; empty: not listed
    std::uint8_t weight = 0;  // of its answer: session::awaited_answers
};

struct detach {
    shard_index from = 0;
    std::uint64_t token = 0;  // that of its attach
    std::string channel;
    bool last_of_shard = false;
    std::string session;  // of a listed subscription; empty: none
};

// Text is std::string where it travels, std::string_view during a call.
template <class Text>
struct basic_publish {
    connection_ref from;   // value 0: from the application, nobody waits for the outcome
    std::uint64_t id = 0;  // 0: no answer wanted
    Text channel;
    Text type;
    Text key;       // empty: not remembered
    Text payload;   // valid JSON
    Text except;    // a session that must not show it; empty: none
    Text conflate;  // what it is the latest of (protocol 4.17); empty: its type
    bool transient = false;
    // With a key: a hash of what its client published, which stays the same when a handler replaces the
    // content.
    std::uint64_t content = 0;
    // Whose share of remembered keys the key counts against.
    std::uint64_t publisher = 0;

    template <class Other>
    basic_publish<Other> as() const {
        return {from,           id,
                Other(channel), Other(type),
                Other(key),     Other(payload),
                Other(except),  Other(conflate),
                transient,      content,
                publisher};
    }
};
using publish = basic_publish<std::string>;
using publish_view = basic_publish<std::string_view>;

struct query {
    enum class kind : std::uint8_t { history, presence };
    kind what = kind::history;
    connection_ref from;
    std::uint64_t id = 0;
    std::string channel;
    std::uint32_t limit = 100;
    bool has_offset = false;
    std::uint64_t offset = 0;
    bool has_time = false;  // then `time_ms` (wall clock) is meant instead of `offset`
    std::int64_t time_ms = 0;
    bool backwards = false;
};

// A request to another client of the channel.
struct ask {
    connection_ref from;
    std::uint64_t id = 0;
    std::string channel;
    std::string session;  // who asks
    std::string to;       // whom
    std::string type;
    std::string payload;
    std::uint32_t timeout_ms = 0;
    std::uint64_t token = 0;  // of the subscription that is asked; the owner knows it
};

// That request is withdrawn. The owner passes it on to all shards with subscribers.
struct unask {
    connection_ref from;
    std::uint64_t id = 0;
    std::string channel;
    bool passed_on = false;
};

// --- to the shard of a connection or of subscribers ---

struct asked {
    ask what;
};

struct attached {
    connection_ref to;
    std::uint64_t token = 0;
    std::string channel;
    message_ptr subscribed;
    message_ptr members;  // null unless presence was wanted
    std::vector<message_ptr> replay;
    std::uint8_t weight = 0;  // of its attach
};

struct attach_refused {
    connection_ref to;
    std::uint64_t token = 0;
    std::string channel;
    message_ptr error;
    std::uint8_t weight = 0;
};

// To all subscribers that the shard has for the channel (presence events: to those who want them).
struct deliver {
    message_ptr what;
};

// To one connection; `ends_request` names the request that is hereby answered, 0 for none.
struct reply {
    connection_ref to;
    message_ptr what;
    std::uint64_t ends_request = 0;
    std::uint8_t weight = 0;  // of the query that is hereby answered
};

// Ends a connection on the application's wish.
struct disconnect {
    connection_ref to;
    close_code code = close_code::normal;
    std::string reason;
};

// --- to the application ---

struct connected {
    connection_ref who;
    std::string session;
};

struct disconnected {
    connection_ref who;
    std::string session;
};

struct client_subscribed {
    connection_ref who;
    std::string session;
    std::string channel;
};

struct client_publish {
    std::string session;
    publish what;  // not yet in the channel: the application passes it on to the owner, or refuses it
};

struct client_request {
    connection_ref from;
    std::uint64_t id = 0;
    std::string session;
    std::string type;
    std::string payload;
    std::uint32_t timeout_ms = 0;
};

using shard_message = std::variant<
    attach, detach, publish, query, ask, unask, asked, attached, attach_refused, deliver, reply, disconnect,
    connected, disconnected, client_subscribed, client_publish, client_request>;

}  // namespace pulsewire::hub
