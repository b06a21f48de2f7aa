#include "common/base/utf8.hpp"
#include "common/message/json.hpp"

#include <algorithm>
#include <charconv>

namespace pulsewire {

namespace {

std::string dumped(const json_value& value) {
    constexpr int compact = -1;
    constexpr bool ascii_only = false;
    return value.dump(compact, ' ', ascii_only, json_value::error_handler_t::replace);
}

bool stands_for_itself(char c) {
    return c >= 0x20 && c < 0x7F && c != '"' && c != '\\';
}

void append_escape(std::string& out, char c) {
    constexpr std::string_view named = "\b\f\n\r\t\"\\", names = "bfnrt\"\\";
    constexpr char digits[] = "0123456789abcdef";
    out += '\\';
    if (const std::size_t at = named.find(c); at != named.npos) {
        out += names[at];
    } else {
        out += "u00";
        out += digits[c >> 4];
        out += digits[c & 0xf];
    }
}

// Appends the text as a JSON string; false where it is no UTF-8, and then nothing is appended.
bool append_utf8_string(std::string& out, std::string_view text) {
    const std::size_t before = out.size();
    out += '"';
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t bytes = utf8_sequence_bytes(text, at);
        if (bytes == 0) {
            out.resize(before);
            return false;
        }
        const char c = text[at];
        if (bytes > 1 || stands_for_itself(c) || c == 0x7F) {
            out.append(text, at, bytes);
        } else {
            append_escape(out, c);
        }
        at += bytes;
    }
    out += '"';
    return true;
}

template <class Integer>
void append_integer(std::string& out, Integer number) {
    char digits[20];  // -9223372036854775808
    auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
    out.append(digits, end);
}

}  // namespace

std::string kind_of(const json_value& value) {
    return value.type_name();
}

void append_json_string(std::string& out, std::string_view text) {
    // Most strings are plain ASCII, and then this is three times as fast as asking nlohmann_json. What has
    // many control characters must not cost much either, since clients send it; nlohmann_json prints each by
    // printf.
    if (std::all_of(text.begin(), text.end(), stands_for_itself)) {
        out += '"';
        out += text;
        out += '"';
    } else if (!append_utf8_string(out, text)) {
        out += dumped(json_value(text));
    }
}

// nlohmann_json writes doubles, because libc++ 13 has no to_chars for them: the shortest text
// that reads back as the same number.
void append_json_number(std::string& out, double number) {
    out += dumped(json_value(number));
}

void append_json_number(std::string& out, std::int64_t number) {
    append_integer(out, number);
}
void append_json_number(std::string& out, std::uint64_t number) {
    append_integer(out, number);
}

void append_json_value(std::string& out, const json_value& value) {
    if (value.is_discarded()) {
        out += "null";
    } else {
        out += dumped(value);
    }
}

}  // namespace pulsewire
