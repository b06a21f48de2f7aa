#include "common/protocol/websocket_handshake.hpp"

#include <algorithm>
#include <cstddef>

namespace pulsewire::websocket {
namespace {

constexpr bool is_base64(char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/';
}

}  // namespace

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view white = " \t";
    const std::size_t first = text.find_first_not_of(white);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(white) - first + 1);
}

bool valid_handshake_key(std::string_view key) {
    // 16 bytes are 22 characters and two of padding. The last character's four unused bits may be anything:
    // it still decodes to 16 bytes, and the answer is made from the text, not from the bytes.
    return key.size() == 24 && key.substr(22) == "==" &&
           std::all_of(key.begin(), key.begin() + 22, is_base64);
}

bool offers_protocol(std::string_view header, std::string_view name) {
    if (name.empty()) return false;
    for (;;) {
        const std::size_t comma = header.find(',');
        if (trimmed(header.substr(0, comma)) == name) return true;
        if (comma == std::string_view::npos) return false;
        header.remove_prefix(comma + 1);
    }
}

}  // namespace pulsewire::websocket
