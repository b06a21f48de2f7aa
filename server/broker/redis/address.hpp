#pragma once

// Where a Redis or Valkey is, as one URL:
//
//   redis://user:password@host:6379              one server; rediss:// with TLS
//   redis-sentinel://host1,host2:26379/mymaster  the master that sentinels name; rediss-sentinel:// with TLS
//   to all redis-cluster://host1,host2                  some servers of a cluster; rediss-cluster:// with TLS
//
// User and password may be left out, and hold any byte as %HH.

#include "common/base/result.hpp"
#include "server/broker/url.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pulsewire::shell::redis {

struct address {
    enum class kind : std::uint8_t { single, sentinel, cluster };

    kind how = kind::single;
    bool tls = false;
    std::vector<endpoint> hosts;  // at least one; exactly one with kind::single
    std::string user;             // empty: "default"
    std::string password;         // empty: none is sent
    std::string master_name;      // with kind::sentinel
};

// The error is a sentence for the operator that says what is right, and repeats nothing that may be a
// password.
result<address, std::string> read_address(std::string_view url);

}  // namespace pulsewire::shell::redis
