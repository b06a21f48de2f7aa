#pragma once

// Writes one frame as a line: flat JSON, ASCII before the payload, the payload last (docs/protocol.md 3.2).

#include <cstdint>
#include <string>
#include <string_view>

namespace pulsewire {

class line_writer {
public:
    // Appends to `out`, which outlives the writer. `op` is the frame's first member; without, the first member given
    // starts the frame.
    explicit line_writer(std::string& out) : out_(out) {}
    line_writer(std::string& out, std::string_view op) : out_(out) { name("op", op); }

    // A string that needs no escapes: a name, an epoch, a session.
    line_writer& name(std::string_view key, std::string_view value);
    // Any UTF-8 text, escaped to ASCII; bytes that are not UTF-8 become U+FFFD.
    line_writer& text(std::string_view key, std::string_view value);
    line_writer& number(std::string_view key, std::uint64_t value);
    line_writer& flag(std::string_view key, bool value);
    // `"payload":` and nothing after it; the payload's bytes follow, then end().
    line_writer& payload_key() { return key({"payload", 7}); }
    // Closes the object.
    void end() { out_.push_back('}'); }

private:
    line_writer& key(std::string_view key);

    std::string& out_;
    char separator_ = '{';
};

// Appends `value` as the inside of a JSON string, ASCII only.
void append_escaped(std::string& out, std::string_view value);

// Appends a decimal number.
void append_number(std::string& out, std::uint64_t value);

}  // namespace pulsewire
