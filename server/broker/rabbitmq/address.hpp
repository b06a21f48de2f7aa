#pragma once

// Where a RabbitMQ is, as one URL:
//
//   rabbitmq://user:password@host:5672,host2/vhost?keep_mb=1024    rabbitmqs:// with TLS, port 5671
//
// All hosts are servers of one cluster: the first that answers is used. Without a user it is guest, and the
// virtual host is / where none is named. Options:
//
//   keep_mb=1024     of each partition the newest megabytes that its stream keeps, at least 256: twice what
//   the
//                    newest two checkpoints and what follows them take. All nodes have the same
//   trust=durable    the operator's word that this cluster never loses what it showed: its incarnation counts
//                    as unchanged

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
    bool is_trusted = false;
};

// The error is a sentence for the operator, without a password.
result<address, std::string> read_address(const broker_options& options);

}  // namespace pulsewire::shell::rabbitmq
