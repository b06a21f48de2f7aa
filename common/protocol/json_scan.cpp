#include "common/protocol/json_scan.hpp"

#include "common/base/utf8.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>

namespace pulsewire {
namespace {

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

bool is_hex(char c) {
    return is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

// Of eight bytes of a string, the first in the lowest place: the highest bit of each that is not plain, but a
// quote, an escape, a control character or non-ASCII. A borrow can set a wrong bit only behind a right one,
// so the lowest is always right.
std::uint64_t not_plain(std::uint64_t bytes) {
    constexpr std::uint64_t ones = 0x0101'0101'0101'0101, highest = 0x80 * ones;
    const auto has_zero = [](std::uint64_t w) { return (w - ones) & ~w; };
    const std::uint64_t control = bytes - 0x20 * ones;
    return (bytes | control | has_zero(bytes ^ '"' * ones) | has_zero(bytes ^ '\\' * ones)) & highest;
}

// Up to eight bytes, the first in the lowest place; behind the end come zeros.
std::uint64_t word_at(const char* at, const char* end) {
    std::uint64_t word = 0;
    if (const auto left = static_cast<std::size_t>(end - at); left >= sizeof word) {
        std::memcpy(&word, at, sizeof word);
    } else {
        std::memcpy(&word, at, left);
    }
    if constexpr (std::endian::native == std::endian::big) word = __builtin_bswap64(word);
    return word;
}

// The first byte that is not plain; the end when all are.
const char* skip_plain(const char* at, const char* end) {
    for (; at < end; at += sizeof(std::uint64_t)) {
        const std::uint64_t found = not_plain(word_at(at, end));
        if (found != 0) return std::min(at + std::countr_zero(found) / 8, end);
    }
    return end;
}

}  // namespace

bool json_scan::take_string(std::string_view& inner, bool& escaped) {
    escaped = false;
    if (!take('"')) return false;
    const std::size_t begin = at_;
    const char* const end = text_.data() + text_.size();
    while (true) {
        const char* const stop = skip_plain(text_.data() + at_, end);
        at_ = static_cast<std::size_t>(stop - text_.data());
        if (stop == end) return false;
        if (*stop == '"') {
            inner = {text_.data() + begin, at_ - begin};
            ++at_;
            return true;
        }
        if (*stop == '\\') {
            escaped = true;
            if (!take_escape()) return false;
            continue;
        }
        if (static_cast<unsigned char>(*stop) < 0x20) return false;
        const std::size_t bytes = utf8_sequence_bytes(text_, at_);
        if (bytes == 0) return false;
        at_ += bytes;
    }
}

bool json_scan::take_escape() {
    if (at_ + 1 == text_.size()) return false;
    const char kind = text_[at_ + 1];
    if (kind == 'u') {
        for (std::size_t i = at_ + 2; i < at_ + 6; ++i)
            if (i >= text_.size() || !is_hex(text_[i])) return false;
        at_ += 6;
        return true;
    }
    if (std::string_view("\"\\/bfnrt").find(kind) == std::string_view::npos) return false;
    at_ += 2;
    return true;
}

bool json_scan::take_literal(std::string_view literal) {
    if (text_.substr(at_, literal.size()) != literal) return false;
    at_ += literal.size();
    return true;
}

bool json_scan::take_digits() {
    const std::size_t begin = at_;
    while (at_ < text_.size() && is_digit(text_[at_])) ++at_;
    return at_ > begin;
}

bool json_scan::take_number() {
    const auto next_is = [&](char c) { return at_ < text_.size() && text_[at_] == c; };
    if (next_is('-')) ++at_;
    if (next_is('0')) {
        ++at_;
    } else if (!take_digits()) {
        return false;
    }
    if (next_is('.')) {
        ++at_;
        if (!take_digits()) return false;
    }
    if (next_is('e') || next_is('E')) {
        ++at_;
        if (next_is('+') || next_is('-')) ++at_;
        if (!take_digits()) return false;
    }
    return true;
}

bool json_scan::take_scalar() {
    if (at_ == text_.size()) return false;
    switch (text_[at_]) {
        case '"': {
            std::string_view inner;
            bool escaped = false;
            return take_string(inner, escaped);
        }
        case 't':
            return take_literal("true");
        case 'f':
            return take_literal("false");
        case 'n':
            return take_literal("null");
        default:
            return take_number();
    }
}

bool json_scan::take_value(std::string_view& slice, int depth_max) {
    skip_space();
    const std::size_t begin = at_;
    std::uint64_t objects = 0;  // a bit per open level: 1 object, 0 array
    int depth = 0;
    while (true) {
        // Here a value is expected.
        skip_space();
        const char c = at_ < text_.size() ? text_[at_] : '\0';
        if (c == '{' || c == '[') {
            if (depth == depth_max || depth == 64) {
                too_deep_ = true;
                return false;
            }
            ++at_;
            ++depth;
            objects = objects << 1 | (c == '{' ? 1u : 0u);
            if (!peek(c == '{' ? '}' : ']')) {
                if (c == '[') continue;
                std::string_view key;
                bool escaped = false;
                if (!take_string(key, escaped) || !take(':')) return false;
                continue;
            }
        } else if (!take_scalar()) {
            return false;
        }
        // A value, or the beginning of an empty container, is behind us: close what ends here.
        while (depth > 0 && take((objects & 1) != 0 ? '}' : ']')) {
            --depth;
            objects >>= 1;
        }
        if (depth == 0) {
            slice = text_.substr(begin, at_ - begin);
            return true;
        }
        if (!take(',')) return false;
        if ((objects & 1) != 0) {
            std::string_view key;
            bool escaped = false;
            if (!take_string(key, escaped) || !take(':')) return false;
        }
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
