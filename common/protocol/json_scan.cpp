#include "common/protocol/json_scan.hpp"

#include "common/base/utf8.hpp"
#include "common/protocol/json_number.hpp"

#include <algorithm>
#include <cstdint>

namespace pulsewire {
namespace {

bool is_hex(char c) {
    return is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

bool is_ascii(char c) {
    return static_cast<unsigned char>(c) < 0x80;
}

}  // namespace

void json_scan::skip_spaces() {
    for (; at_ != end_; ++at_) {
        const bool ends_line = *at_ == '\n' || *at_ == '\r';
        if (!ends_line && *at_ != ' ' && *at_ != '\t') return;
        has_line_ends_ = has_line_ends_ || ends_line;
    }
}

// Continues at the first byte that is not plain.
bool json_scan::skip_rest_of_string() {
    for (; at_ != end_; at_ = skip_plain(begin_, at_, end_)) {
        if (*at_ == '"') return ++at_, true;
        if (*at_ == '\\') {
            if (!skip_escape()) return false;
            continue;
        }
        if (is_ascii(*at_)) return false;  // a control character
        // Characters outside of ASCII mostly come in runs.
        for (; at_ != end_ && !is_ascii(*at_);) {
            const std::string_view rest(at_, static_cast<std::size_t>(end_ - at_));
            const std::size_t bytes = utf8_sequence_bytes(rest, 0);
            if (bytes == 0) return false;
            at_ += bytes;
        }
    }
    return false;
}

bool json_scan::skip_escape() {
    has_escapes_ = true;
    if (end_ - at_ == 1) return false;
    if (at_[1] == 'u') return skip_unicode_escape();
    if (std::string_view("\"\\/bfnrt").find(at_[1]) == std::string_view::npos) return false;
    at_ += 2;
    return true;
}

bool json_scan::starts_unicode_escape() const {
    if (end_ - at_ < 6 || at_[0] != '\\' || at_[1] != 'u') return false;
    return std::all_of(at_ + 2, at_ + 6, is_hex);
}

// The halves of a surrogate pair are 0xd800 to 0xdbff and 0xdc00 to 0xdfff; one without the other is no
// character.
bool json_scan::skip_unicode_escape() {
    if (!starts_unicode_escape()) return false;
    const std::uint32_t first = detail::hex4({at_ + 2, 4}) & 0xfc00;
    at_ += 6;
    if (first == 0xdc00) has_unreadable_ = true;
    if (first != 0xd800) return true;
    if (starts_unicode_escape() && (detail::hex4({at_ + 2, 4}) & 0xfc00) == 0xdc00) {
        at_ += 6;
    } else {
        has_unreadable_ = true;
    }
    return true;
}

bool json_scan::skip_literal(std::string_view literal) {
    if (!std::string_view(at_, static_cast<std::size_t>(end_ - at_)).starts_with(literal)) return false;
    at_ += literal.size();
    return true;
}

bool json_scan::skip_digits() {
    const char* at = at_;
    while (at != end_ && is_digit(*at)) ++at;
    const bool has_some = at != at_;
    at_ = at;
    return has_some;
}

bool json_scan::skip_number() {
    const char* const first = at_;
    if (next_is('-')) ++at_;
    if (next_is('0')) {
        ++at_;
    } else if (!skip_digits()) {
        return false;
    }
    if (next_is('.')) {
        ++at_;
        if (!skip_digits()) return false;
    }
    const bool has_exponent = next_is('e') || next_is('E');
    if (has_exponent) {
        ++at_;
        if (next_is('+') || next_is('-')) ++at_;
        if (!skip_digits()) return false;
    }
    // A number of fewer digits without an exponent is small enough.
    constexpr std::ptrdiff_t digits_safe = 308;
    if (has_exponent || at_ - first > digits_safe)
        has_unreadable_ = has_unreadable_ || exceeds_double({first, static_cast<std::size_t>(at_ - first)});
    return true;
}

bool json_scan::skip_scalar() {
    if (at_ == end_) return false;
    switch (*at_) {
        case '"':
            return skip_string();
        case 't':
            return skip_literal("true");
        case 'f':
            return skip_literal("false");
        case 'n':
            return skip_literal("null");
        default:
            return skip_number();
    }
}

// Skips the container that begins here, with everything in it.
bool json_scan::skip_container(int depth_max) {
    std::uint64_t objects = 0;  // a bit per open level: 1 object, 0 array
    int depth = 0;
    while (true) {
        // Here a value is expected.
        skip_space();
        const char c = at_ != end_ ? *at_ : '\0';
        if (c == '{' || c == '[') {
            if (depth == depth_max || depth == 64) {
                too_deep_ = true;
                return false;
            }
            ++at_;
            ++depth;
            objects = objects << 1 | (c == '{' ? 1u : 0u);
            if (!peek(c == '{' ? '}' : ']')) {
                if (c == '{' && !(skip_string() && take(':'))) return false;
                continue;
            }
        } else if (!skip_scalar()) {
            return false;
        }
        // A value, or the start of an empty container, has been read: close every container that ends here.
        while (take((objects & 1) != 0 ? '}' : ']')) {
            if (--depth == 0) return true;
            objects >>= 1;
        }
        if (!take(',')) return false;
        if ((objects & 1) != 0 && !(skip_string() && take(':'))) return false;
    }
}

bool is_json(std::string_view text, int depth_max, std::size_t& stopped_at) {
    json_scan scan(text);
    std::string_view slice;
    const bool valid = scan.take_value(slice, depth_max) && scan.skip_space() && scan.at_end();
    stopped_at = scan.at();
    return valid;
}

}  // namespace pulsewire
