#pragma once

// JSON that this server could carry, but that usual readers refuse or change: half a surrogate pair in a
// string (RFC 8259, section 8.2) and a number that no double holds (section 6). One such payload, published
// to all, stops every subscriber whose reader throws, so it is refused where it enters.

#include <optional>
#include <string>
#include <string_view>

namespace pulsewire {

struct unreadable_value {
    std::string pointer;  // RFC 6901: the value, or the object whose key it is
    std::string what;     // one sentence without a full stop, for people
};

// The first such value in `json`, which is valid; none when every reader can read it.
std::optional<unreadable_value> first_unreadable(std::string_view json);

}  // namespace pulsewire
