#pragma once

// What the publications of a stream's channel say (docs/streams.md). A stream has no store of its own: its
// content type, its end, its expiry and the claims of its producers are in its log, as heads of publications.
// Such a publication is JSON, {"head":{…},"messages":[…]}, or bytes: the head as one line and then the data.

#include "common/base/result.hpp"
#include "common/exchange/message.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pulsewire::shell::streams {

// The types of the publications.
inline constexpr std::string_view create_type = "stream.create";
inline constexpr std::string_view append_type = "stream.append";
inline constexpr std::string_view read_type = "stream.read";  // a read that extends the stream's life
inline constexpr std::string_view delete_type =
    "stream.delete";                                            // a snapshot of nothing that covers the rest
inline constexpr std::string_view probe_type = "stream.probe";  // transient: may the client publish?

// What a stream is made as.
struct creation {
    std::string content_type;
    std::optional<std::uint64_t> ttl_s;  // its life after the last use
    std::string expires;                 // as the client wrote it; empty: never
    std::int64_t expires_ms = 0;         // wall clock; 0: never
    bool closed = false;
};

// A producer that numbers what it appends.
struct producer {
    std::string id;
    std::uint64_t epoch = 0;
    std::uint64_t seq = 0;
};

// What is appended, without the data.
struct addition {
    std::uint64_t of = 0;  // the offset of the stream's creation; 0: whichever stream is there
    std::optional<producer> by;
    std::string order;  // Stream-Seq; empty: none
    bool closed = false;
};

// The payload of a publication.
struct written {
    std::string payload;
    bool binary = false;
};
// `data` is what messages_of() made where `is_json`, and may be empty.
written write(const creation& c, std::string_view data, bool is_json);
written write(const addition& a, std::string_view data, bool is_json);

enum class record_kind : std::uint8_t {
    create,
    append,
    read,
    remove,  // covers the publications up to `covers`
    covered  // somebody else's snapshot: what it covers is gone
};

// A publication of the channel, read. `data` points into the message.
struct record {
    record_kind kind = record_kind::append;
    creation made;
    addition added;
    std::string_view data;
    std::uint64_t covers = 0;
};
// Nothing where the publication is no part of a stream.
std::optional<record> read(const hub::message& m);

// The values of a body of JSON, separated by commas and without line ends: those of an array, or the one that
// it is. `many` says how many. The failure is a sentence for the client.
struct json_values {
    std::string text;
    std::size_t many = 0;
};
result<json_values, std::string> messages_of(std::string_view body);

}  // namespace pulsewire::shell::streams
