#include "common/schema/reference.hpp"

#include <cstddef>

namespace pulsewire::schema {
namespace {

int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    const char low = static_cast<char>(c | 0x20);
    return low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}

}  // namespace

std::optional<std::string> pointer_of(std::string_view reference) {
    if (!reference.starts_with('#')) return std::nullopt;
    const std::string_view fragment = reference.substr(1);
    std::string text;
    for (std::size_t i = 0; i < fragment.size(); ++i) {
        if (fragment[i] != '%') {
            text += fragment[i];
            continue;
        }
        if (fragment.size() - i < 3) return std::nullopt;
        const int high = hex_digit(fragment[i + 1]), low = hex_digit(fragment[i + 2]);
        if (high < 0 || low < 0) return std::nullopt;
        text += static_cast<char>(high * 16 + low);
        i += 2;
    }
    return text;
}

std::string take_token(std::string_view& pointer) {
    pointer.remove_prefix(1);
    const std::string_view raw = pointer.substr(0, pointer.find('/'));
    pointer.remove_prefix(raw.size());
    std::string token;
    for (std::size_t i = 0; i < raw.size(); ++i) {
        const bool escaped = raw[i] == '~' && i + 1 < raw.size() && (raw[i + 1] == '0' || raw[i + 1] == '1');
        token += !escaped ? raw[i] : raw[++i] == '0' ? '~' : '/';
    }
    return token;
}

}  // namespace pulsewire::schema
