#pragma once

// Reads a Redis stream for a feed: server/feed/redis/reading.hpp.

#include "server/feed/source.hpp"

namespace pulsewire::shell::feed {

result<source::maker, std::string> make_redis_source(
    const consume_settings& of, boost::asio::io_context& loop
);

}  // namespace pulsewire::shell::feed
