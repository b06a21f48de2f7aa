#include "common/base/base64.hpp"

#include <array>
#include <cstdint>

namespace pulsewire {
namespace {

constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr auto value_of = [] {
    std::array<std::uint8_t, 256> values{};
    values.fill(0xff);
    for (std::size_t i = 0; i < digits.size(); ++i)
        values[static_cast<unsigned char>(digits[i])] = static_cast<std::uint8_t>(i);
    return values;
}();

std::uint32_t byte_at(std::string_view bytes, std::size_t at) {
    return static_cast<unsigned char>(bytes[at]);
}

}  // namespace

char* write_base64(char* to, std::string_view bytes) {
    std::size_t at = 0;
    for (; at + 3 <= bytes.size(); at += 3, to += 4) {
        const std::uint32_t three =
            byte_at(bytes, at) << 16 | byte_at(bytes, at + 1) << 8 | byte_at(bytes, at + 2);
        to[0] = digits[three >> 18];
        to[1] = digits[three >> 12 & 63];
        to[2] = digits[three >> 6 & 63];
        to[3] = digits[three & 63];
    }
    if (at == bytes.size()) return to;
    const bool is_pair = bytes.size() - at == 2;
    const std::uint32_t rest = byte_at(bytes, at) << 16 | (is_pair ? byte_at(bytes, at + 1) << 8 : 0);
    to[0] = digits[rest >> 18];
    to[1] = digits[rest >> 12 & 63];
    to[2] = is_pair ? digits[rest >> 6 & 63] : '=';
    to[3] = '=';
    return to + 4;
}

std::string to_base64(std::string_view bytes) {
    std::string text(base64_size(bytes.size()), '\0');
    write_base64(text.data(), bytes);
    return text;
}

bool append_from_base64(std::string& to, std::string_view text) {
    if (text.size() % 4 != 0) return false;
    std::size_t padding = 0;
    while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=') ++padding;
    const std::size_t begin = to.size();
    to.resize(begin + text.size() / 4 * 3 - padding);
    char* out = to.data() + begin;
    // No digit has one of the upper two bits, so one look at the end finds a character that is none.
    std::uint32_t seen = 0;
    const std::size_t whole = text.size() - (padding != 0 ? 4 : 0);
    std::size_t at = 0;
    const auto value = [&](std::size_t i) {
        const std::uint32_t v = value_of[static_cast<unsigned char>(text[i])];
        seen |= v;
        return v;
    };
    for (; at < whole; at += 4, out += 3) {
        const std::uint32_t three =
            value(at) << 18 | value(at + 1) << 12 | value(at + 2) << 6 | value(at + 3);
        out[0] = static_cast<char>(three >> 16);
        out[1] = static_cast<char>(three >> 8);
        out[2] = static_cast<char>(three);
    }
    if (padding != 0) {
        const std::uint32_t third = padding == 1 ? value(at + 2) : 0;
        const std::uint32_t rest = value(at) << 18 | value(at + 1) << 12 | third << 6;
        out[0] = static_cast<char>(rest >> 16);
        if (padding == 1) out[1] = static_cast<char>(rest >> 8);
        if ((rest & (padding == 1 ? 0xffU : 0xffffU)) != 0) return false;
    }
    return (seen & 0xc0U) == 0;
}

}  // namespace pulsewire
