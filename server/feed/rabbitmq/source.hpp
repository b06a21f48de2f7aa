#pragma once

// Reads a queue of RabbitMQ for a feed: server/feed/rabbitmq/reading.hpp.

#include "server/feed/source.hpp"

namespace pulsewire::shell::feed {

result<source::maker, std::string> make_rabbitmq_source(
    const consume_settings& of, boost::asio::io_context& loop
);

}  // namespace pulsewire::shell::feed
