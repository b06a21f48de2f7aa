#pragma once

// One line that goes to connections, encoded once and shared by all its receivers.

#include "common/base/slice.hpp"
#include "common/protocol/codes.hpp"
#include "common/protocol/limits.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace pulsewire::hub {

enum class message_kind : std::uint8_t {
    publication,  // has a place in the log: channel, type, offset, time, payload, except, user
    direct,       // transient, or to one connection: channel, type, payload, except
    presence,     // join, leave or the list of members
    welcome,
    subscribed,  // id, channel, epoch, offset, recovered
    published,   // id, channel, epoch, offset
    history,     // id, channel, epoch, offset, more, payload (an array)
    answer,      // any other answer to a command: id, payload
    error,       // id, code, text, pointer
    question,    // a request of another client, or its withdrawal
    ping,
    pong,
    close,  // text
    drain,
    position,  // of a subscription that goes on: channel, epoch, offset, recovered, reason
    standing,  // whether the server reaches the log that it shares with others: degraded, restored
};

// Immutable once shared.
struct message {
    // `line` starts with `line_bytes` bytes, to be written over.
    explicit message(std::size_t line_bytes) : line(line_bytes, '\0') {}
    message(const message&) = delete;
    message& operator=(const message&) = delete;

    // Parts of `line`, valid as long as the message lives; empty where the line has no such part.
    std::string_view channel() const { return text_of(part::channel); }
    std::string_view type() const { return text_of(part::type); }
    std::string_view epoch() const { return text_of(part::epoch); }
    std::string_view payload() const { return text_of(part::payload); }
    std::string_view except() const { return text_of(part::except); }
    // The conflation key that the publisher gave; empty: the type takes its place (protocol 4.17).
    std::string_view conflate() const { return text_of(part::conflate); }
    // Of the publisher; empty: unknown.
    std::string_view user() const { return text_of(part::user); }
    // subscribed, position: the reason why it is not recovered.
    std::string_view reason() const { return text_of(part::reason); }
    // For people; still escaped as in JSON.
    std::string_view text() const { return text_of(part::text); }
    // error: RFC 6901, still escaped as in JSON.
    std::string_view pointer() const { return text_of(part::pointer); }

    message_kind kind = message_kind::answer;
    bool recovered = true;      // subscribed, position: whether nothing was missed
    bool missed = false;        // history: whether publications before the page are gone
    bool more = false;          // history: whether there are further publications
    bool binary = false;        // the payload is bytes, behind the newline of the line (protocol 2.5)
    bool is_snapshot = false;   // publication: its line says what it covers (snapshot_of)
    bool takes_binary = false;  // welcome: the client understands binary messages
    // Whether the message may be dropped for a slow connection: for publications and
    // transient messages of a channel.
    slow_consumer when_slow = slow_consumer::disconnect;
    error_code code = error_code::none;
    std::uint64_t id = 0;  // of the command it answers
    std::uint64_t offset = 0;
    std::int64_t time_ms = 0;  // wall clock when the publication was put in order
    std::string line;          // the JSON and a newline, and a payload of bytes

    enum class part : std::uint8_t {
        channel,
        type,
        epoch,
        payload,
        except,
        conflate,
        user,
        reason,
        text,
        pointer
    };
    std::string_view text_of(part p) const { return places[static_cast<std::size_t>(p)].of(line); }
    slice& place_of(part p) { return places[static_cast<std::size_t>(p)]; }

    // The places of the parts. A history keeps hundreds of messages, and a place is half as large as a view.
    slice places[10];
};

// Shared, because one publication waits in the queues of many connections on several
// shards and in a channel's history.
using message_ptr = std::shared_ptr<const message>;

}  // namespace pulsewire::hub
