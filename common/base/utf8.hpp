#pragma once

// UTF-8 as RFC 3629 defines it: no overlong forms, no surrogates, nothing above U+10FFFF.

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace pulsewire {

// The length in bytes of the sequence that starts at `at`; 0 when it is invalid or cut
// off. Precondition: at < text.size().
constexpr std::size_t utf8_sequence_bytes(std::string_view text, std::size_t at) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const auto continues = [&](std::size_t i, unsigned char low = 0x80, unsigned char high = 0xbf) {
        return i < text.size() && byte(i) >= low && byte(i) <= high;
    };
    const unsigned char lead = byte(at);
    if (lead < 0x80) return 1;
    if (lead >= 0xc2 && lead <= 0xdf) return continues(at + 1) ? 2 : 0;
    if (lead >= 0xe0 && lead <= 0xef) {
        const unsigned char low = lead == 0xe0 ? 0xa0 : 0x80;
        const unsigned char high = lead == 0xed ? 0x9f : 0xbf;
        return continues(at + 1, low, high) && continues(at + 2) ? 3 : 0;
    }
    if (lead >= 0xf0 && lead <= 0xf4) {
        const unsigned char low = lead == 0xf0 ? 0x90 : 0x80;
        const unsigned char high = lead == 0xf4 ? 0x8f : 0xbf;
        return continues(at + 1, low, high) && continues(at + 2) && continues(at + 3) ? 4 : 0;
    }
    return 0;
}

// The code point of a valid sequence of `bytes` bytes at `at`.
constexpr std::uint32_t utf8_code_point(std::string_view text, std::size_t at, std::size_t bytes) {
    const auto low_bits = [&](std::size_t i) { return static_cast<std::uint32_t>(text[i]) & 0x3fu; };
    const auto lead = static_cast<unsigned char>(text[at]);
    switch (bytes) {
        case 2:
            return (lead & 0x1fu) << 6 | low_bits(at + 1);
        case 3:
            return (lead & 0x0fu) << 12 | low_bits(at + 1) << 6 | low_bits(at + 2);
        case 4:
            return (lead & 0x07u) << 18 | low_bits(at + 1) << 12 | low_bits(at + 2) << 6 | low_bits(at + 3);
        default:
            return lead;
    }
}

}  // namespace pulsewire
