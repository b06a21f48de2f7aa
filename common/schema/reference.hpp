#pragma once

// The text of a "$ref" to a place in the same file: "#/$defs/name".

#include <optional>
#include <string>
#include <string_view>

namespace pulsewire::schema {

// The JSON pointer (RFC 6901) that a reference has after its "#", without percent escapes (RFC 3986, section
// 2.1); nothing where it leads to another file or an escape is cut off.
std::optional<std::string> pointer_of(std::string_view reference);

// Cuts the first token off a pointer that begins with a slash, and returns it without its escapes.
std::string take_token(std::string_view& pointer);

}  // namespace pulsewire::schema
