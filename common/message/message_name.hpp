#pragma once

// The rule for message names, the `type` of {"type": "chat.message", "payload": ...}.

#include <cstddef>
#include <string_view>

namespace pulsewire {

inline constexpr std::size_t message_name_bytes_max = 64;

// 1 to 64 characters of A-Z a-z 0-9 _ - . : / Such names need no escape in JSON, in an SSE `event:` line or
// in a TypeScript string. PULSEWIRE_MESSAGE asserts the rule at compile time; at run time this function
// checks names from elsewhere.
constexpr bool is_message_name(std::string_view name) {
    if (name.empty() || name.size() > message_name_bytes_max) return false;
    for (char c : name) {
        bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        bool digit = c >= '0' && c <= '9';
        bool mark = c == '_' || c == '-' || c == '.' || c == ':' || c == '/';
        if (!letter && !digit && !mark) return false;
    }
    return true;
}

}  // namespace pulsewire
