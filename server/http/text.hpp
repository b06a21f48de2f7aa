#pragma once

// Small rules of HTTP texts (RFC 9110 section 5.6), without a locale.

#include "server/text.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace pulsewire::shell {

// Whether a comma-separated list has the element, ignoring case.
bool list_has(std::string_view list, std::string_view element);
// Replaces %41 and its like; nothing when an escape is cut or wrong. '+' stays what it is.
std::optional<std::string> decode_percent(std::string_view text);

}  // namespace pulsewire::shell
