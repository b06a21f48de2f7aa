#pragma once

// Base64 with padding (RFC 4648 section 4), read strictly: every value has one spelling.

#include <cstddef>
#include <string>
#include <string_view>

namespace pulsewire {

constexpr std::size_t base64_size(std::size_t bytes) {
    return (bytes + 2) / 3 * 4;
}

// Writes base64_size(bytes.size()) characters to `to` and returns what is behind them.
char* write_base64(char* to, std::string_view bytes);

std::string to_base64(std::string_view bytes);

// Appends the bytes that `text` means. False, and `to` has any end, when it has another character than the
// 64, a length that no bytes have, wrong padding, or bits left over that are not zero.
bool append_from_base64(std::string& to, std::string_view text);

}  // namespace pulsewire
