#pragma once

// A part of a JSON text, found by a JSON pointer (RFC 6901) and taken as it is written: numbers keep their
// digits, objects the order of their members.

#include <optional>
#include <string_view>

namespace pulsewire::shell::feed {

// Empty, or begins with '/', and every '~' in it is "~0" or "~1".
bool is_json_pointer(std::string_view text);

// Nothing where the pointer leads nowhere. Of members with the same name the last one counts, as for most
// readers. Precondition: `json` is one JSON value, and is_json_pointer(pointer).
std::optional<std::string_view> part_of(std::string_view json, std::string_view pointer);

}  // namespace pulsewire::shell::feed
