#pragma once

// Why a payload does not fit its message type: what, where, what was expected and what stood there instead.

#include <cstddef>
#include <string>
#include <string_view>

namespace pulsewire {

// message() says: "chat.message: /lines/3/text: expected string, found number".
struct payload_error {
    // The message name; the C++ name where a struct has none; empty for other types.
    std::string type;
    // JSON Pointer (RFC 6901) to the value that does not fit; empty for the payload itself.
    std::string pointer;
    // "string", "integer from 0 to 255", "one of \"red\", \"green\"", "JSON".
    std::string expected;
    // "number", "300", "nothing" for an absent field, "malformed JSON at byte 17".
    std::string found;

    // One line, fit for the sender's eyes and for a log. Keys come from the sender: of the pointer it shows
    // at most 200 bytes, and "?" for control characters; `pointer` itself is kept as it is.
    std::string message() const;

    friend bool operator==(const payload_error&, const payload_error&) = default;
};

// What readers of values write. refuse() returns false, so that `return refuse(...)` ends a reader; on the
// way out each container calls within() with the key or index that it had gone into: the pointer grows from
// its end.
bool refuse(payload_error& error, std::string expected, std::string found);
void within(payload_error& error, std::string_view key);
void within(payload_error& error, std::size_t index);

}  // namespace pulsewire
