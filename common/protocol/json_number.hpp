#pragma once

// The size of JSON numbers (RFC 8259, section 6).

#include <string_view>

namespace pulsewire {

constexpr bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

// Whether the magnitude of a number is too large for an IEEE 754 double. `number` is valid JSON.
bool exceeds_double(std::string_view number);

}  // namespace pulsewire
