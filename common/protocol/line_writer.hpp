#pragma once

// Writes one frame as a line: flat JSON, ASCII before the payload, the payload last (docs/protocol.md 3.2).

#include <cstdint>
#include <string>
#include <string_view>

namespace pulsewire {

class line_writer {
public:
    // Starts the frame with its first member, `"op":"<op>"`; without, the first member() starts it.
    line_writer() = default;
    explicit line_writer(std::string_view op) { name("op", op); }

    // A string that needs no escapes: a name, an epoch, a session.
    line_writer& name(std::string_view key, std::string_view value);
    // Any UTF-8 text, escaped to ASCII; bytes that are not UTF-8 become U+FFFD.
    line_writer& text(std::string_view key, std::string_view value);
    line_writer& number(std::string_view key, std::uint64_t value);
    line_writer& flag(std::string_view key, bool value);
    // `"payload":` and nothing after it; the payload's bytes follow, then end().
    line_writer& payload_key();
    line_writer& raw(std::string_view json);

    // Closes the object, with a newline if wished.
    std::string end(bool newline = true);
    // What was written so far, e.g. a header that ends with `"payload":`.
    std::string take() { return std::move(line_); }
    std::size_t size() const { return line_.size(); }

private:
    void key(std::string_view key);

    std::string line_;
};

// Appends `value` as the inside of a JSON string, ASCII only.
void append_escaped(std::string& out, std::string_view value);

// Appends a decimal number.
void append_number(std::string& out, std::uint64_t value);

}  // namespace pulsewire
