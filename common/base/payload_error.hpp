#pragma once

// The reason why a payload does not fit its message type: the type, the place, the
// expected value and the value found.

#include <cstddef>
#include <string>
#include <string_view>

namespace pulsewire {

// The text of message() is: "chat.message: /lines/3/text: expected string, found number".
struct payload_error {
    // The message name; the C++ name where a struct has none; empty for other types.
    std::string type;
    // JSON Pointer (RFC 6901) to the value that does not fit; empty for the payload itself.
    std::string pointer;
    // "string", "integer from 0 to 255", "one of \"red\", \"green\"", "JSON".
    std::string expected;
    // "number", "300", "nothing" for an absent field, "malformed JSON at byte 17".
    std::string found;

    // One line, safe to show to the sender and to log. The keys in the pointer come from the sender, so it
    // shows at most 200 bytes of it, with "?" for control characters; `pointer` itself is unchanged.
    std::string message() const;

    friend bool operator==(const payload_error&, const payload_error&) = default;
};

// The functions by which readers of values fill the error. refuse() returns false, so that `return
// refuse(...)` ends a reader. On the way out each container calls within() with the key or index that it had
// entered, so the pointer grows from its end.
bool refuse(payload_error& error, std::string expected, std::string found);
void within(payload_error& error, std::string_view key);
void within(payload_error& error, std::size_t index);

}  // namespace pulsewire
