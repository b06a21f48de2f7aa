#pragma once

// Small rules of HTTP texts (RFC 9110 section 5.6), without a locale.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pulsewire::shell {

bool same_ignoring_case(std::string_view a, std::string_view b);
std::string_view trimmed(std::string_view text);
// Whether a comma-separated list has the element, ignoring case.
bool list_has(std::string_view list, std::string_view element);
// Digits alone, at most 19 of them.
std::optional<std::uint64_t> parse_number(std::string_view digits);
// Replaces %41 and its like; nothing when an escape is cut or wrong. '+' stays what it is.
std::optional<std::string> decode_percent(std::string_view text);

}  // namespace pulsewire::shell
