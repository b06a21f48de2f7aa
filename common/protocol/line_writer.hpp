#pragma once

// Writes one frame as a line: flat JSON, ASCII before the payload, the payload last (docs/protocol.md 3.2).

#include "common/base/string_writer.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace pulsewire {

// Appends a decimal number. Out is std::string or text_buffer.
template <class Out>
void append_number(Out& out, std::uint64_t value) {
    char digits[20];
    char* begin = digits + sizeof digits;
    do {
        *--begin = static_cast<char>('0' + value % 10);
        value /= 10;
    } while (value != 0);
    out += std::string_view(begin, static_cast<std::size_t>(digits + sizeof digits - begin));
}

// Appends `value` as the inside of a JSON string, ASCII only; bytes that are not UTF-8 become U+FFFD.
void append_escaped(std::string& out, std::string_view value);
void append_escaped(string_writer& out, std::string_view value);

template <class Out>
class basic_line_writer {
public:
    // Appends to `out`, which outlives the writer. `op` is the first member of the frame; without it, the
    // first member given starts the frame.
    explicit basic_line_writer(Out& out) : out_(out) {}
    basic_line_writer(Out& out, std::string_view op) : out_(out) { name({"op", 2}, op); }

    // A string that needs no escapes: a name, an epoch, a session.
    basic_line_writer& name(std::string_view key_name, std::string_view value) {
        if constexpr (in_one_piece) {
            out_.add(std::exchange(separator_, ','), '"', key_name, quoted, value, '"');
        } else {
            key(key_name);
            out_.push_back('"');
            out_ += value;
            out_.push_back('"');
        }
        return *this;
    }

    // Any UTF-8 text, escaped to ASCII.
    basic_line_writer& text(std::string_view key_name, std::string_view value) {
        key(key_name);
        out_.push_back('"');
        append_escaped(out_, value);
        out_.push_back('"');
        return *this;
    }

    basic_line_writer& number(std::string_view key_name, std::uint64_t value) {
        key(key_name);
        if constexpr (in_one_piece) {
            out_.add_number(value);
        } else {
            append_number(out_, value);
        }
        return *this;
    }

    basic_line_writer& flag(std::string_view key_name, bool value) {
        key(key_name);
        out_ += value ? std::string_view("true", 4) : std::string_view("false", 5);
        return *this;
    }

    // `value` is valid JSON.
    basic_line_writer& json(std::string_view key_name, std::string_view value) {
        key(key_name);
        out_ += value;
        return *this;
    }

    // Members behind others, as they stand in JSON.
    basic_line_writer& members(std::string_view json) {
        out_.push_back(',');
        out_ += json;
        return *this;
    }

    // `"payload":` and nothing after it; the payload's bytes follow, then end().
    basic_line_writer& payload_key() {
        key({"payload", 7});
        return *this;
    }

    // Closes the object.
    void end() { out_.push_back('}'); }

private:
    // Faster, for the hub, which makes a line for each message. In the client the size of the
    // code counts more than its time.
    static constexpr bool in_one_piece = std::is_same_v<Out, string_writer>;
    static constexpr std::string_view quoted = "\":\"";

    void key(std::string_view key_name) {
        if constexpr (in_one_piece) {
            out_.add(std::exchange(separator_, ','), '"', key_name, std::string_view("\":", 2));
            return;
        }
        out_.push_back(separator_);
        separator_ = ',';
        out_.push_back('"');
        out_ += key_name;
        out_ += std::string_view("\":", 2);
    }

    Out& out_;
    char separator_ = '{';
};

using line_writer = basic_line_writer<std::string>;

}  // namespace pulsewire
