#pragma once

// What stands in the fields and parameters of requests about streams, as text.

#include "server/streams/log.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pulsewire::shell::streams {

// A place in a stream: which stream of that name it is, and behind which publication of its channel. As texts
// places of one stream are in order, and those of a later stream come after them.
struct place {
    std::int64_t born_ms = 0;
    std::uint64_t offset = 0;

    friend bool operator==(const place&, const place&) = default;
};
std::string text_of(const place& p);
std::optional<place> read_place(std::string_view text);

// Where a read begins.
struct start {
    enum class kind : std::uint8_t { beginning, now, place };
    kind from = kind::beginning;
    place at;
};
// The value of the parameter `offset`; nothing where it is none.
std::optional<start> read_start(std::string_view text);

// Milliseconds since 1970 of a time as RFC 3339 writes it.
std::optional<std::int64_t> read_time(std::string_view text);
// A count as the protocol writes it: no sign, no leading zero, no fraction, at most 2^53 - 1.
std::optional<std::uint64_t> read_count(std::string_view text);
// Whether the text may be given back as a field of an answer, and names a type.
bool is_content_type(std::string_view text);

// The cursor of an answer: the number of an interval of time, later than the one that the client has shown,
// so that caches between do not give it the same answer again.
std::string cursor_after(std::string_view shown, std::int64_t now_ms, std::uint64_t random);

}  // namespace pulsewire::shell::streams
