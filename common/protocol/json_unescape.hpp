#pragma once

// The decoding of JSON string escapes (RFC 8259 section 7).

#include <cstdint>
#include <string_view>

namespace pulsewire {
namespace detail {

constexpr std::uint32_t hex4(std::string_view digits) {
    std::uint32_t value = 0;
    for (const char c : digits.substr(0, 4)) {
        const char low = static_cast<char>(c | 0x20);
        value = value * 16 + static_cast<std::uint32_t>(low >= 'a' ? low - 'a' + 10 : c - '0');
    }
    return value;
}

template <class String>
void append_utf8(String& out, std::uint32_t code_point) {
    const auto byte = [&](std::uint32_t b) { out.push_back(static_cast<char>(b)); };
    if (code_point < 0x80) {
        byte(code_point);
    } else if (code_point < 0x800) {
        byte(0xc0 | code_point >> 6);
        byte(0x80 | (code_point & 0x3f));
    } else if (code_point < 0x10000) {
        byte(0xe0 | code_point >> 12);
        byte(0x80 | (code_point >> 6 & 0x3f));
        byte(0x80 | (code_point & 0x3f));
    } else {
        byte(0xf0 | code_point >> 18);
        byte(0x80 | (code_point >> 12 & 0x3f));
        byte(0x80 | (code_point >> 6 & 0x3f));
        byte(0x80 | (code_point & 0x3f));
    }
}

}  // namespace detail

template <class String>
void append_unescaped(String& out, std::string_view inner) {
    for (std::size_t i = 0; i < inner.size(); ++i) {
        if (inner[i] != '\\') {
            out.push_back(inner[i]);
            continue;
        }
        switch (inner[++i]) {
            case 'b':
                out.push_back('\b');
                break;
            case 'f':
                out.push_back('\f');
                break;
            case 'n':
                out.push_back('\n');
                break;
            case 'r':
                out.push_back('\r');
                break;
            case 't':
                out.push_back('\t');
                break;
            case 'u': {
                std::uint32_t code_point = detail::hex4(inner.substr(i + 1));
                i += 4;
                const bool high = code_point >= 0xd800 && code_point <= 0xdbff;
                if (high && inner.substr(i + 1, 2) == "\\u") {
                    const std::uint32_t low = detail::hex4(inner.substr(i + 3));
                    if (low >= 0xdc00 && low <= 0xdfff) {
                        code_point = 0x10000 + ((code_point - 0xd800) << 10) + (low - 0xdc00);
                        i += 6;
                    }
                }
                if (code_point >= 0xd800 && code_point <= 0xdfff) code_point = 0xfffd;
                detail::append_utf8(out, code_point);
                break;
            }
            default:
                out.push_back(inner[i]);  // quote, backslash, slash
        }
    }
}

inline std::string unescaped(std::string_view inner) {
    std::string text;
    append_unescaped(text, inner);
    return text;
}

}  // namespace pulsewire
