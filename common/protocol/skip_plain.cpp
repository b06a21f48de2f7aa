#include "common/protocol/skip_plain.hpp"

#include <algorithm>

namespace pulsewire {
namespace detail {
namespace {

// The highest bit of each of eight bytes that is not plain; the first byte is in the lowest place. A borrow
// can set a wrong bit only above a right one, so the lowest set bit is always right.
std::uint64_t not_plain(std::uint64_t bytes) {
    constexpr std::uint64_t ones = 0x0101'0101'0101'0101, highest = 0x80 * ones;
    const auto has_zero = [](std::uint64_t w) { return (w - ones) & ~w; };
    const std::uint64_t control = bytes - 0x20 * ones;
    return (bytes | control | has_zero(bytes ^ '"' * ones) | has_zero(bytes ^ '\\' * ones)) & highest;
}

// Up to eight bytes, the first in the lowest place; zeros follow after the end.
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

}  // namespace

const char* skip_plain_anywhere(const char* at, const char* end) {
    for (; at < end; at += sizeof(std::uint64_t)) {
        const std::uint64_t found = not_plain(word_at(at, end));
        if (found != 0) return std::min(at + std::countr_zero(found) / 8, end);
    }
    return end;
}

}  // namespace detail

const char* skip_plain([[maybe_unused]] const char* begin, const char* at, const char* end) {
#ifdef __SSE2__
    return detail::skip_plain_sse2(begin, at, end);
#else
    return detail::skip_plain_anywhere(at, end);
#endif
}

}  // namespace pulsewire
