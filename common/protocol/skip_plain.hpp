#pragma once

// Finding what is not plain in the inside of a JSON string, many bytes at a time. Most of what a server reads
// is plain, so this is where most of its bytes go.

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

// As skip_plain() below, on every machine.
const char* skip_plain_anywhere(const char* at, const char* end);

#ifdef __SSE2__

// Of sixteen bytes, a bit for each that is not plain, the first in the lowest place.
inline std::uint32_t not_plain(const char* sixteen) {
    __m128i bytes;
    std::memcpy(&bytes, sixteen, sizeof bytes);
    const auto is = [&](char c) { return _mm_cmpeq_epi8(bytes, _mm_set1_epi8(c)); };
    // Compares with signs, so that what is not ASCII is below a space, too.
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
    // The last sixteen once more, without those that are behind us.
    const std::uint32_t found = not_plain(end - step) >> (step - (end - at));
    return found == 0 ? end : at + std::countr_zero(found);
}

#endif

}  // namespace detail

// The first byte from `at` on that is not plain, but a quote, an escape, a control character or not ASCII;
// `end` when all are. `begin` is where the text begins that `at` is in.
const char* skip_plain(const char* begin, const char* at, const char* end);

}  // namespace pulsewire
