#include "server/streams/words.hpp"

#include "common/protocol/limits.hpp"
#include "common/protocol/line_writer.hpp"
#include "server/text.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>

namespace pulsewire::shell::streams {
namespace {

constexpr std::size_t born_digits = 12;  // hexadecimal: to the year 10889
constexpr std::size_t offset_digits = 16;
constexpr std::size_t content_type_bytes_max = 200;
constexpr std::int64_t cursor_interval_ms = 20'000;
// Intervals by which a cursor that was shown already is passed.
constexpr std::uint64_t cursor_jump_max = 180;

bool all_digits(std::string_view text) {
    return !text.empty() &&
           std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// The number of exactly so many digits at the front, which are taken away.
std::optional<int> take_digits(std::string_view& text, std::size_t many) {
    if (text.size() < many || !all_digits(text.substr(0, many))) return std::nullopt;
    int number = 0;
    for (const char c : text.substr(0, many)) number = number * 10 + (c - '0');
    text.remove_prefix(many);
    return number;
}

bool take(std::string_view& text, char expected) {
    if (text.empty() || lower(text.front()) != expected) return false;
    text.remove_prefix(1);
    return true;
}

// "+01:30" and "Z", in minutes.
std::optional<int> take_zone(std::string_view& text) {
    if (take(text, 'z')) return 0;
    if (text.empty() || (text.front() != '+' && text.front() != '-')) return std::nullopt;
    const int sign = text.front() == '-' ? -1 : 1;
    text.remove_prefix(1);
    const auto hours = take_digits(text, 2);
    if (!hours || *hours > 23 || !take(text, ':')) return std::nullopt;
    const auto minutes = take_digits(text, 2);
    if (!minutes || *minutes > 59) return std::nullopt;
    return sign * (*hours * 60 + *minutes);
}

}  // namespace

std::string text_of(const place& p) {
    static constexpr char digits[] = "0123456789abcdef";
    std::string text(born_digits, '0');
    auto rest = static_cast<std::uint64_t>(p.born_ms);
    for (std::size_t i = born_digits; i-- > 0; rest /= 16) text[i] = digits[rest % 16];
    const std::string offset = std::to_string(p.offset);
    text.push_back('_');
    return text.append(offset_digits - std::min(offset_digits, offset.size()), '0').append(offset);
}

std::optional<place> read_place(std::string_view text) {
    if (text.size() != born_digits + 1 + offset_digits || text[born_digits] != '_') return std::nullopt;
    place p;
    for (const char c : text.substr(0, born_digits)) {
        const bool is_digit = c >= '0' && c <= '9';
        if (!is_digit && (c < 'a' || c > 'f')) return std::nullopt;
        p.born_ms = p.born_ms * 16 + (is_digit ? c - '0' : c - 'a' + 10);
    }
    const std::string_view offset = text.substr(born_digits + 1);
    if (!all_digits(offset)) return std::nullopt;
    p.offset = parse_number(offset).value_or(0);
    return p;
}

std::optional<start> read_start(std::string_view text) {
    if (text == "-1") return start{};
    if (text == "now") return start{start::kind::now, {}};
    if (const auto p = read_place(text)) return start{start::kind::place, *p};
    return std::nullopt;
}

std::optional<std::int64_t> read_time(std::string_view text) {
    namespace chrono = std::chrono;
    const auto year = take_digits(text, 4);
    if (!year || !take(text, '-')) return std::nullopt;
    const auto month = take_digits(text, 2);
    if (!month || !take(text, '-')) return std::nullopt;
    const auto day = take_digits(text, 2);
    if (!day || (!take(text, 't') && !take(text, ' '))) return std::nullopt;
    const auto hour = take_digits(text, 2);
    if (!hour || *hour > 23 || !take(text, ':')) return std::nullopt;
    const auto minute = take_digits(text, 2);
    if (!minute || *minute > 59 || !take(text, ':')) return std::nullopt;
    const auto second = take_digits(text, 2);
    if (!second || *second > 60) return std::nullopt;
    int ms = 0;
    if (take(text, '.')) {
        const std::size_t size = std::min(text.find_first_not_of("0123456789"), text.size());
        if (size == 0) return std::nullopt;
        std::string fraction(text.substr(0, std::min<std::size_t>(size, 3)));
        fraction.resize(3, '0');
        ms = std::stoi(fraction);
        text.remove_prefix(size);
    }
    const auto zone = take_zone(text);
    if (!zone || !text.empty()) return std::nullopt;
    const chrono::year_month_day date{
        chrono::year(*year), chrono::month(static_cast<unsigned>(*month)),
        chrono::day(static_cast<unsigned>(*day))};
    if (!date.ok()) return std::nullopt;
    const auto at = chrono::sys_days(date) + chrono::hours(*hour) + chrono::minutes(*minute - *zone) +
                    chrono::seconds(*second) + chrono::milliseconds(ms);
    return chrono::duration_cast<chrono::milliseconds>(at.time_since_epoch()).count();
}

std::optional<std::uint64_t> read_count(std::string_view text) {
    if (text.size() > 1 && text.front() == '0') return std::nullopt;
    const auto number = parse_number(text);
    return number && *number <= id_max ? number : std::nullopt;
}

bool is_content_type(std::string_view text) {
    if (text.empty() || text.size() > content_type_bytes_max) return false;
    const std::string type = media_type_of(text);
    const std::size_t slash = type.find('/');
    constexpr std::string_view others = "!#$&-^_.+/";
    return slash != 0 && slash != type.npos && slash + 1 != type.size() && type.rfind('/') == slash &&
           std::all_of(
               type.begin(), type.end(),
               [&](char c) {
                   return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || others.find(c) != others.npos;
               }
           ) &&
           std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
}

std::string cursor_after(std::string_view shown, std::int64_t now_ms, std::uint64_t random) {
    const auto current = static_cast<std::uint64_t>(now_ms / cursor_interval_ms);
    const auto before = read_count(shown);
    if (!before || *before < current) return std::to_string(current);
    return std::to_string(std::min(*before + 1 + random % cursor_jump_max, id_max));
}

}  // namespace pulsewire::shell::streams
