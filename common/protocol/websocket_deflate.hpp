#pragma once

// The server's side of the negotiation of permessage-deflate (RFC 7692 section 7.1). No side keeps a
// context from one message to the next, so a message can be compressed once for all connections, and
// no connection holds memory for it.

#include <string_view>

namespace pulsewire::websocket {

// The value of Sec-WebSocket-Extensions with which the server accepts an offer.
inline constexpr std::string_view deflate_accepted =
    "permessage-deflate; server_no_context_takeover; client_no_context_takeover";

// Whether a Sec-WebSocket-Extensions header has an offer of permessage-deflate that can be accepted
// in this way: without unknown, repeated or invalid parameters, and without a smaller window than 15
// bits for the server. In linear time.
bool offers_deflate(std::string_view header);

}  // namespace pulsewire::websocket
