#pragma once

// The server's half of the WebSocket handshake (RFC 6455 4.2).

#include "server/http/response.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace pulsewire::shell {

class http_conversation;

// The client's key, when the request is a complete handshake; otherwise it is answered: 426 where it is no
// handshake at all or of another version, 400 where one is broken.
std::optional<std::string> handshake_key(http_conversation& c);

// 101 for that key.
response accept_handshake(const std::string& key);

// The one subprotocol that is spoken (protocol 2.1), and whether the request offers it.
inline constexpr std::string_view subprotocol = "pulsewire.v1";
bool offers_subprotocol(const http_conversation& c);
// Whether it offers permessage-deflate in a way that can be accepted.
bool offers_compression(const http_conversation& c);

}  // namespace pulsewire::shell
