#pragma once

// Checks UTF-8 (RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF)
// that arrives in pieces, cut anywhere.

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace pulsewire {

class utf8_validator {
public:
    // Whether the text so far can still become valid; false at the first byte that no valid text can have in
    // this place. After false only reset() may be called.
    bool feed(std::string_view piece);

    // Whether the text may end here: no character is cut.
    bool complete() const { return missing_ == 0; }

    void reset() { *this = {}; }

private:
    std::uint8_t missing_ = 0;  // bytes that the current character still needs
    std::uint8_t low_ = 0x80;   // the range of the next byte
    std::uint8_t high_ = 0xbf;
};

// Whether a whole text is valid.
bool is_utf8(std::string_view text);

// The longest beginning of `text` that is valid, ends between characters and has at most `bytes_max` bytes.
std::string_view utf8_prefix(std::string_view text, std::size_t bytes_max);

}  // namespace pulsewire
