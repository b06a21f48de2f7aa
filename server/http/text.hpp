#pragma once

// Small rules of HTTP texts (RFC 9110 section 5.6), without a locale.

#include "server/text.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace pulsewire::shell {

// The value of a hexadecimal digit; -1 for anything else.
constexpr int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    const char l = lower(c);
    return l >= 'a' && l <= 'f' ? l - 'a' + 10 : -1;
}

// A byte that no line of a head may have; a tab is white space there.
constexpr bool is_control(char c) {
    return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f;
}

// Whether a comma-separated list has the element, ignoring case.
bool list_has(std::string_view list, std::string_view element);
// Replaces %41 and its like; nothing when an escape is cut or wrong. '+' stays what it is.
std::optional<std::string> decode_percent(std::string_view text);

}  // namespace pulsewire::shell
