#include "common/base/payload_error.hpp"

#include "common/base/json_pointer.hpp"

#include <utility>

namespace pulsewire {

namespace {

constexpr std::size_t shown_pointer_bytes_max = 200;

// The error is sent back as JSON text, so a cut must not split a UTF-8 sequence. It also goes into logs,
// where a line feed in a key could fake a line of its own.
std::string shown(std::string pointer) {
    if (pointer.size() > shown_pointer_bytes_max) {
        std::size_t end = shown_pointer_bytes_max;
        while (end > 0 && (static_cast<unsigned char>(pointer[end]) & 0xC0) == 0x80) --end;
        pointer.resize(end);
        pointer += "...";
    }
    for (char& c : pointer) {
        auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20 || byte == 0x7F) c = '?';
    }
    return pointer;
}

}  // namespace

std::string payload_error::message() const {
    std::string text;
    if (!type.empty()) text += type + ": ";
    if (!pointer.empty()) text += shown(pointer) + ": ";
    return text + "expected " + expected + ", found " + found;
}

bool refuse(payload_error& error, std::string expected, std::string found) {
    error.pointer.clear();
    error.expected = std::move(expected);
    error.found = std::move(found);
    return false;
}

void within(payload_error& error, std::string_view key) {
    std::string token;
    append_pointer_token(token, key);
    error.pointer.insert(0, token);
}

void within(payload_error& error, std::size_t index) {
    within(error, std::string_view(std::to_string(index)));
}

}  // namespace pulsewire
