#pragma once

// How the clients of librdkafka are set up, by the names of its CONFIGURATION.md.

#include "server/broker/kafka/address.hpp"
#include "server/broker/kafka/topic_opening.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace pulsewire::shell::kafka {

// Bytes of records that wait to be sent; beyond, the client is broken: the broker takes less than it is
// given.
inline constexpr std::size_t unsent_bytes_max = std::size_t{32} << 20;

struct client_options {
    address where;
    topic_request topic;
    std::string tls_ca_file;  // empty: the authorities of the system
};

struct setting {
    std::string name;
    std::string value;
};

// Of both clients: where the brokers are, how they are spoken to, and when they count as dead.
std::vector<setting> common_settings(const client_options& options);
const std::vector<setting>& producer_settings();
const std::vector<setting>& consumer_settings();

}  // namespace pulsewire::shell::kafka
