#include "common/protocol/line_writer.hpp"

#include "common/base/utf8.hpp"

namespace pulsewire {
namespace {

using namespace std::string_view_literals;

void append_unicode_escape(std::string& out, std::uint32_t unit) {
    static constexpr char digits[] = "0123456789abcdef";
    out += "\\u";
    for (int shift = 12; shift >= 0; shift -= 4) out.push_back(digits[unit >> shift & 0xf]);
}

}  // namespace

void append_number(std::string& out, std::uint64_t value) {
    char digits[20];
    char* begin = digits + sizeof digits;
    do {
        *--begin = static_cast<char>('0' + value % 10);
        value /= 10;
    } while (value != 0);
    out.append(begin, static_cast<std::size_t>(digits + sizeof digits - begin));
}

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

line_writer& line_writer::key(std::string_view key) {
    out_.push_back(separator_);
    separator_ = ',';
    out_.push_back('"');
    out_ += key;
    out_ += "\":"sv;
    return *this;
}

line_writer& line_writer::name(std::string_view key_name, std::string_view value) {
    key(key_name);
    out_.push_back('"');
    out_ += value;
    out_.push_back('"');
    return *this;
}

line_writer& line_writer::text(std::string_view key_name, std::string_view value) {
    key(key_name);
    out_.push_back('"');
    append_escaped(out_, value);
    out_.push_back('"');
    return *this;
}

line_writer& line_writer::number(std::string_view key_name, std::uint64_t value) {
    append_number(key(key_name).out_, value);
    return *this;
}

line_writer& line_writer::flag(std::string_view key_name, bool value) {
    key(key_name).out_ += value ? "true"sv : "false"sv;
    return *this;
}

}  // namespace pulsewire
