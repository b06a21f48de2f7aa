#pragma once

// Where a Kafka is, as one URL:
//
//   kafka://user:password@host:9092,host2:9092/topic?partitions=16&replicas=3
//
// kafkas:// is the same with TLS. One broker of the cluster is enough to find the others; several are for the
// case that one is down. All but the first host may be left out.

#include "common/base/result.hpp"
#include "server/broker/url.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pulsewire::shell::kafka {

struct address {
    bool tls = false;
    std::vector<endpoint> hosts;  // at least one
    std::string topic;            // the path; empty: the prefix of the logs
    std::string user;             // empty: no login
    std::string password;
    // "sasl": how the password is proven. PLAIN sends it as it is: usual with TLS; without, SCRAM-SHA-512 is.
    std::string mechanism;
    // "partitions": how many a topic gets that does not exist yet.
    std::uint32_t partitions = 16;
    // "replicas": how many a topic gets, or must have. 0: three, or as many as there are brokers.
    std::uint32_t replicas = 0;
    // "certificate" and "key": files (PEM) that prove who this client is, by TLS.
    std::string certificate_file;
    std::string key_file;
};

// The error is a sentence for the operator that says what is right, and repeats nothing that may be a
// password.
result<address, std::string> read_address(std::string_view url);

// Whether Kafka takes it as the name of a topic.
bool is_topic_name(std::string_view name);

// "host:port,host:port", as librdkafka wants it.
std::string text_of(const std::vector<endpoint>& hosts);

}  // namespace pulsewire::shell::kafka
