#pragma once

// Finds the bytes inside a JSON string that are not plain, many bytes at a time. Most bytes that a server
// reads are plain and pass here.

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace pulsewire {
namespace detail {

// Does the work of skip_plain() below on every machine.
const char* skip_plain_anywhere(const char* at, const char* end);

#ifdef __SSE2__

// One bit for each of sixteen bytes that is not plain; the first byte is in the lowest place.
inline std::uint32_t not_plain(const char* sixteen) {
    __m128i bytes;
    std::memcpy(&bytes, sixteen, sizeof bytes);
    const auto is = [&](char c) { return _mm_cmpeq_epi8(bytes, _mm_set1_epi8(c)); };
    // The comparison is signed, so bytes outside of ASCII are also below a space.
    const __m128i below_space = _mm_cmplt_epi8(bytes, _mm_set1_epi8(' '));
    const __m128i found = _mm_or_si128(below_space, _mm_or_si128(is('"'), is('\\')));
    return static_cast<std::uint32_t>(_mm_movemask_epi8(found));
}

inline const char* skip_plain_sse2(const char* begin, const char* at, const char* end) {
    constexpr std::ptrdiff_t step = sizeof(__m128i);
    for (; end - at >= step; at += step) {
        const std::uint32_t found = not_plain(at);
        if (found != 0) return at + std::countr_zero(found);
    }
    if (end - begin < step) return skip_plain_anywhere(at, end);
    // The last sixteen bytes once more, without the bits of those already seen.
    const std::uint32_t found = not_plain(end - step) >> (step - (end - at));
    return found == 0 ? end : at + std::countr_zero(found);
}

#endif

}  // namespace detail

// The first byte from `at` on that is not plain: a quote, an escape, a control character, or a byte outside
// of ASCII; `end` when all are plain. `begin` is the start of the text that contains `at`.
const char* skip_plain(const char* begin, const char* at, const char* end);

}  // namespace pulsewire
