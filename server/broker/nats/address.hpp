#pragma once

// Where a NATS with JetStream is, as one URL:
//
//   nats://user:password@host:4222,host2/name?replicas=3    natss:// with TLS
//
// All hosts are servers of one cluster: the first that answers is used. A password without a user is a token.
// The name begins the names of the streams, instead of broker_options::prefix. Options:
//
//   replicas=1…5       of streams that are made; those that exist must have as many
//   credentials=FILE   a user's JWT and key, in the file that NATS calls credentials
//   trust=durable      the operator's word that this cluster never loses what it showed: its incarnation
//                      counts as unchanged as long as the stream is the same

#include "server/broker/broker.hpp"
#include "server/broker/url.hpp"

#include <string>
#include <vector>

namespace pulsewire::shell::nats {

struct address {
    bool tls = false;
    std::vector<endpoint> hosts;  // 1 to 8
    std::string user;             // empty: the password is a token, or there is none
    std::string password;
    std::string credentials_file;
    std::string name;  // begins the names of streams and subjects
    unsigned replicas = 1;
    bool is_trusted = false;
};

// The error is a sentence for the operator, without a password.
result<address, std::string> read_address(const broker_options& options);

}  // namespace pulsewire::shell::nats
