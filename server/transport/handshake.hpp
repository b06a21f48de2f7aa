#pragma once

// The server's half of the WebSocket handshake (RFC 6455 4.2).

#include "common/base/result.hpp"
#include "server/http/request.hpp"
#include "server/http/response.hpp"

#include <string>
#include <string_view>

namespace pulsewire::shell {

// The client's key, when the request is a complete handshake; otherwise the answer that says what is missing:
// 426 where it is no handshake at all or of another version, 400 where a handshake is broken.
result<std::string, response> read_handshake(const request& r);

// 101 for that key.
response accept_handshake(const std::string& key);

// The one subprotocol that is spoken (protocol 2.1), and whether the request offers it.
inline constexpr std::string_view subprotocol = "pulsewire.v1";
bool offers_subprotocol(const request& r);
// Whether it offers permessage-deflate in a way that can be accepted.
bool offers_compression(const request& r);

}  // namespace pulsewire::shell
