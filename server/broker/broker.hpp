#pragma once

// The broker of a process: what carries the logs of common/cluster/broker_port.hpp between nodes. Adapters
// are in folders below. What they have of connections serves the sources of server/feed/ too; nothing else
// includes them.

#include "common/cluster/broker_port.hpp"

#include <cstdint>
#include <functional>
#include <span>
#include <string>

namespace pulsewire::shell {

struct broker_options {
    // redis://, nats:// and others; the address.hpp of each adapter has its forms. May hold a password: never
    // logged whole.
    std::string url;
    // Begins the names of all logs. Two clusters with one broker have different ones.
    std::string prefix = "pulsewire";
    // `appended` waits until that many replicas have the record, and a connection that waits for longer than
    // two seconds is closed. 0: a failover of the broker may lose what was answered.
    std::uint32_t wait_replicas = 0;
    // Authorities (PEM) that may sign the broker's certificate, instead of those of the system. For TLS
    // alone.
    std::string tls_ca_file = {};
};

class broker {
public:
    // Gets values in the order in which the broker told them, and may move from them. Called on the broker's
    // own thread and never during the construction. While it waits nothing is read, so a reader that is too
    // slow slows the broker down instead of filling the memory; after three seconds connections may be taken
    // for dead.
    using handler = std::function<void(std::span<cluster::from_broker> values)>;

    broker() = default;
    // Ends all connections without an answer. The handler is not called any more.
    virtual ~broker() = default;
    broker(const broker&) = delete;
    broker& operator=(const broker&) = delete;

    // From any thread; never waits. What names a connection that is not its partition's newest is ignored. A
    // broker that takes less than it is given closes its connections when 32 MB of records wait for it: the
    // appenders' windows together are smaller.
    virtual void post(cluster::to_broker value) = 0;
};

}  // namespace pulsewire::shell
