#pragma once

// Where a RabbitMQ is, as one URL:
//
//   rabbitmq://user:password@host:5672,host2/vhost?keep_mb=1024    rabbitmqs:// with TLS, port 5671
//
// All hosts are servers of one cluster: the first that answers is used. Without a user it is guest, and the
// virtual host is / where none is named. One option:
//
//   keep_mb=1024     Megabytes of each partition that its stream keeps, the newest ones; at least 256. Should
//                    be twice what the newest two checkpoints and what follows them take. The same on all
//                    nodes.

#include "server/broker/broker.hpp"
#include "server/broker/url.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace pulsewire::shell::rabbitmq {

struct address {
    bool tls = false;
    std::vector<endpoint> hosts;  // 1 to 8
    std::string user;
    std::string password;
    std::string vhost;
    std::string name;  // begins the names of the streams
    std::uint32_t keep_mb = 1'024;
};

// The error is a sentence for the operator, without a password.
result<address, std::string> read_address(const broker_options& options);

}  // namespace pulsewire::shell::rabbitmq
