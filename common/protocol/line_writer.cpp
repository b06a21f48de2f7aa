#include "common/protocol/line_writer.hpp"

#include "common/base/utf8.hpp"

namespace pulsewire {
namespace {

void append_unicode_escape(std::string& out, std::uint32_t unit) {
    static constexpr char digits[] = "0123456789abcdef";
    out += "\\u";
    for (int shift = 12; shift >= 0; shift -= 4) out.push_back(digits[unit >> shift & 0xf]);
}

}  // namespace

void append_escaped(std::string& out, std::string_view value) {
    for (std::size_t i = 0; i < value.size();) {
        const char c = value[i];
        const auto byte = static_cast<unsigned char>(c);
        if (byte >= 0x20 && byte < 0x7f) {
            if (c == '"' || c == '\\') out.push_back('\\');
            out.push_back(c);
            ++i;
            continue;
        }
        const std::size_t bytes = utf8_sequence_bytes(value, i);
        const std::uint32_t code_point = bytes == 0 ? 0xfffd : utf8_code_point(value, i, bytes);
        if (code_point >= 0x10000) {
            append_unicode_escape(out, 0xd800 + ((code_point - 0x10000) >> 10));
            append_unicode_escape(out, 0xdc00 + ((code_point - 0x10000) & 0x3ff));
        } else {
            append_unicode_escape(out, code_point);
        }
        i += bytes == 0 ? 1 : bytes;
    }
}

void append_escaped(string_writer& out, std::string_view value) {
    std::string escaped;
    append_escaped(escaped, value);
    out += escaped;
}

}  // namespace pulsewire
