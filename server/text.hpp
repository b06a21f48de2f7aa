#pragma once

// Small functions for ASCII text, independent of the locale, for the config and for HTTP.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pulsewire::shell {

// 'A' to 'Z' in lower case, everything else as it is.
constexpr char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}
bool same_ignoring_case(std::string_view a, std::string_view b);
// The text without spaces and tabs at both ends.
std::string_view trimmed(std::string_view text);
// "2026-11-29T12:00:00.123Z", of milliseconds since 1970.
std::string utc_time(std::int64_t wall_ms);
// The number, if the text is 1 to 19 digits and nothing else.
std::optional<std::uint64_t> parse_number(std::string_view digits);

}  // namespace pulsewire::shell
