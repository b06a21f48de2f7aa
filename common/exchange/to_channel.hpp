#pragma once

// The values that go to the shard that owns a channel. Changes and reads are different types: the effect of a
// change depends on the value, its time and the state of the channel alone, never on the process that applies
// it. So several nodes that apply the same changes hold the same channel.

#include "common/exchange/address.hpp"
#include "common/protocol/position.hpp"
#include "common/protocol/snapshot.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace pulsewire::hub {

// --- what changes a channel ---

// `Text` is std::string when the value travels and std::string_view during a call.
template <class Text>
struct basic_publish {
    connection_ref from;   // value 0: from the application, which waits for no outcome
    std::uint64_t id = 0;  // 0: no answer wanted
    Text channel;
    Text type;
    Text key;       // empty: not remembered
    Text payload;   // valid JSON, or bytes where `binary` is set
    Text except;    // a session that must not show the message; empty: none
    Text conflate;  // what it is the latest of (protocol 4.17); empty: its type
    Text user;      // of the publisher; empty: unknown
    bool transient = false;
    // With a key: a hash of the content that the client published. It stays the same when
    // a handler replaces the content.
    std::uint64_t content = 0;
    // The publisher whose share of remembered keys the key counts against.
    std::uint64_t publisher = 0;
    bool binary = false;
    basic_snapshot<Text> snapshot = {};
    // In a keyed channel: only if this is the offset of the newest publication of its key, in the log of this
    // epoch; 0: if there is none.
    std::optional<std::uint64_t> if_offset = {};
    Text if_epoch = {};  // empty: whichever there is

    template <class Other>
    basic_publish<Other> as() const {
        return {from,           id,
                Other(channel), Other(type),
                Other(key),     Other(payload),
                Other(except),  Other(conflate),
                Other(user),    transient,
                content,        publisher,
                binary,         snapshot.template as<Other>(),
                if_offset,      Other(if_epoch)};
    }
};
using publish = basic_publish<std::string>;
using publish_view = basic_publish<std::string_view>;

// What the others see of a member of a channel.
struct shown {
    std::string info = {};       // the client's own word, JSON
    std::string user = {};       // the server's word; empty: unknown
    std::string user_info = {};  // ... with what the token has to show, JSON; empty: nothing

    friend bool operator==(const shown&, const shown&) = default;
};

// A subscription lists its session in presence.
struct join {
    shard_index from = 0;
    std::uint64_t token = 0;  // of the subscription
    std::string channel;
    std::string session;
    shown as;
    std::uint64_t source = 0;  // from where it came (session::source)
};

// The subscription of a join has ended.
struct part {
    shard_index from = 0;
    std::uint64_t token = 0;
    std::string channel;
    std::string session;
};

// A request to another client of the channel.
struct ask {
    connection_ref from;
    std::uint64_t id = 0;
    std::string channel;
    std::string session;  // of the client that asks
    std::string user;     // ... with the name of its user; empty: unknown
    std::string to;       // the session that is asked
    std::string type;
    std::string payload;
    std::uint32_t timeout_ms = 0;
    std::uint64_t source = 0;  // of the client that asks (session::source)
    bool binary = false;       // the payload is bytes, not JSON
};

// The withdrawal of an `ask`.
struct unask {
    connection_ref from;
    std::uint64_t id = 0;
    std::string channel;
};

using channel_change = std::variant<publish, join, part, ask, unask>;

// --- what reads a channel ---

// A subscribe as the owner of the channel sees it. After its answer the shard
// gets every message of the channel.
struct attach {
    connection_ref from;
    std::uint64_t id = 0;     // of the subscribe command
    std::uint64_t token = 0;  // distinguishes it from an earlier subscription of the same connection
    std::string channel;
    std::optional<position> seen;  // the position from which the client wants to recover
    // Whether it may read everything that is kept; otherwise it recovers what limits::recover_ms allows.
    bool reads_history = true;
    std::uint32_t latest = 0;
    bool wants_presence = false;
    bool wants_state = false;  // the newest snapshot and everything after what it covers, or what was missed
    std::uint8_t weight = 0;   // of its answer: session::awaited_answers
};

// The shard has no subscription of the channel any more.
struct detach {
    shard_index from = 0;
    std::string channel;
};

struct query {
    enum class kind : std::uint8_t { history, presence };
    kind of = kind::history;
    connection_ref from;
    std::uint64_t id = 0;
    std::string channel;
    std::uint32_t limit = 100;
    // The place where the page begins: an offset, or a wall-clock time, or neither.
    std::optional<std::uint64_t> offset;
    std::optional<std::int64_t> time_ms;
    bool backwards = false;
    std::string after;  // presence: the page begins behind this member; empty: with the first
};

using channel_read = std::variant<attach, detach, query>;

}  // namespace pulsewire::hub
