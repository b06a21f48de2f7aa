#pragma once

// JSON pointers (RFC 6901).

#include <string>
#include <string_view>

namespace pulsewire {

// Appends the reference token of a key: "~" becomes "~0" and "/" becomes "~1" (section 3).
inline void append_pointer_token(std::string& pointer, std::string_view key) {
    pointer += '/';
    for (const char c : key) {
        if (c == '~') {
            pointer += "~0";
        } else if (c == '/') {
            pointer += "~1";
        } else {
            pointer += c;
        }
    }
}

}  // namespace pulsewire
