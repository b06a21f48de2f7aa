#pragma once

// The requests about streams that keep their connection: server/transport has them.

#include "server/endpoint/stream_request.hpp"
#include "server/streams/words.hpp"

#include <string>

namespace pulsewire::shell {

class http_conversation;

// GET with live=sse: events from the place on. The hub's session of the request goes on, subscribed.
void read_live(http_conversation& c, std::string channel, streams::place from, std::string cursor);

// POST in pieces: each is appended when it is there, as `wanted` says.
void append_pieces(http_conversation& c, std::string channel, stream_addition wanted);

}  // namespace pulsewire::shell
