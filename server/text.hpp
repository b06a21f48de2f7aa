#pragma once

// Small rules of ASCII texts, without a locale: for the config and for HTTP.

#include <cstdint>
#include <optional>
#include <string_view>

namespace pulsewire::shell {

// 'A' to 'Z' in lower case, everything else as it is.
constexpr char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}
bool same_ignoring_case(std::string_view a, std::string_view b);
// Without spaces and tabs at both ends.
std::string_view trimmed(std::string_view text);
// Digits alone, at most 19 of them.
std::optional<std::uint64_t> parse_number(std::string_view digits);

}  // namespace pulsewire::shell
