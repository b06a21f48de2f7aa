#pragma once

// Reads a subject of NATS JetStream for a feed: server/feed/nats/reading.hpp.

#include "server/feed/source.hpp"

namespace pulsewire::shell::feed {

result<source::maker, std::string> make_nats_source(
    const consume_settings& of, boost::asio::io_context& loop
);

}  // namespace pulsewire::shell::feed
