#include "server/identity/base64url.hpp"

#include "common/base/base64.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace pulsewire::identity {
namespace {

constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr unsigned bits_per_digit = 6;

constexpr auto value_of = [] {
    std::array<std::int8_t, 256> values{};
    values.fill(-1);
    for (std::size_t i = 0; i < digits.size(); ++i)
        values[static_cast<unsigned char>(digits[i])] = static_cast<std::int8_t>(i);
    return values;
}();

}  // namespace

std::optional<std::string> from_base64url(std::string_view text) {
    // One digit alone holds less than a byte.
    if (text.size() % 4 == 1) return std::nullopt;
    std::string bytes;
    bytes.reserve(text.size() * 3 / 4);
    std::uint32_t pending = 0;
    unsigned bits = 0;
    for (const char c : text) {
        const int value = value_of[static_cast<unsigned char>(c)];
        if (value < 0) return std::nullopt;
        pending = pending << bits_per_digit | static_cast<std::uint32_t>(value);
        bits += bits_per_digit;
        if (bits < 8) continue;
        bits -= 8;
        bytes.push_back(static_cast<char>(pending >> bits));
        pending &= (1U << bits) - 1;
    }
    if (pending != 0) return std::nullopt;
    return bytes;
}

std::string to_base64url(std::string_view bytes) {
    std::string text = to_base64(bytes);
    text.resize(text.find_last_not_of('=') + 1);
    std::replace(text.begin(), text.end(), '+', '-');
    std::replace(text.begin(), text.end(), '/', '_');
    return text;
}

}  // namespace pulsewire::identity
