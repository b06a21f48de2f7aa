#pragma once

// Reads a topic of Kafka for a feed: server/feed/kafka/reading.hpp.

#include "server/feed/source.hpp"

namespace pulsewire::shell::feed {

result<source::maker, std::string> make_kafka_source(
    const consume_settings& of, boost::asio::io_context& loop
);

}  // namespace pulsewire::shell::feed
