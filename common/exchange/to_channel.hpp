#pragma once

// The values that go to the shard that owns a channel. Those that change the channel are told apart from
// those that only read it: the effect of a change depends on the value, its time and the channel's state
// alone, never on the process that applies it, so that several nodes which apply the same changes hold the
// same channel.

#include "common/exchange/address.hpp"
#include "common/protocol/position.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace pulsewire::hub {

// --- what changes a channel ---

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

// A subscription shows its session in presence.
struct join {
    shard_index from = 0;
    std::uint64_t token = 0;  // of the subscription
    std::string channel;
    std::string session;
    std::string info;  // JSON
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
    std::string session;  // who asks
    std::string to;       // whom
    std::string type;
    std::string payload;
    std::uint32_t timeout_ms = 0;
};

// That request is withdrawn.
struct unask {
    connection_ref from;
    std::uint64_t id = 0;
    std::string channel;
};

using channel_change = std::variant<publish, join, part, ask, unask>;

// --- what reads a channel ---

// A subscribe, as the owner sees it: from its answer on, the shard gets what is published.
struct attach {
    connection_ref from;
    std::uint64_t id = 0;     // of the subscribe command
    std::uint64_t token = 0;  // tells this subscription from an earlier one of the same connection
    std::string channel;
    std::optional<position> seen;  // where the client wants to go on
    std::uint32_t latest = 0;
    bool wants_presence = false;
    std::uint8_t weight = 0;  // of its answer: session::awaited_answers
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
    // Where the page begins: an offset, or a time on the wall's clock, or neither.
    std::optional<std::uint64_t> offset;
    std::optional<std::int64_t> time_ms;
    bool backwards = false;
};

using channel_read = std::variant<attach, detach, query>;

}  // namespace pulsewire::hub
