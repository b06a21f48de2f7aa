#pragma once

// The parts of the WebSocket handshake (RFC 6455 section 4) that need neither HTTP nor cryptography.

#include <string_view>

namespace pulsewire::websocket {

// The text without the optional white space of HTTP around it (RFC 9110 5.6.3).
std::string_view trimmed(std::string_view text);

// Whether a Sec-WebSocket-Key is the base64 of 16 bytes (RFC 6455 4.2.1).
bool valid_handshake_key(std::string_view key);

// Whether a Sec-WebSocket-Protocol header offers exactly the protocol `name` (a comma-separated list;
// names are compared byte by byte). In linear time. If the field occurs several times, join the values
// with commas or call this for each.
bool offers_protocol(std::string_view header, std::string_view name);

}  // namespace pulsewire::websocket
