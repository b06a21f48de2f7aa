#pragma once

// The end of a shard: its clients are told to come back, each at a moment of its own, and the node is told
// when no client can ask for anything any more, and when all connections have gone.

#include "server/shard/connection_table.hpp"
#include "server/shard/hub_runner.hpp"
#include "server/shard/ports.hpp"
#include "server/shard/shard_port.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

namespace pulsewire::shell {

class drain {
public:
    // All references outlive it.
    drain(connection_table& connections, hub_runner& hub, node_port& all, shard_port& home)
        : connections_(connections), hub_(hub), all_(all), home_(home), handover_timer_(home.loop()) {}

    bool begun() const { return begun_; }
    // With drain_handover clients keep their connections until their next ones serve, and only what is left
    // after the window is ended. Precondition: not begun.
    void begin();
    // Tells the node what has become true, each once. To be called at the end of every turn.
    void report();

private:
    void end_connections();
    void end_idle_http();

    connection_table& connections_;
    hub_runner& hub_;
    node_port& all_;
    shard_port& home_;
    boost::asio::steady_timer handover_timer_;
    bool begun_ = false;
    bool quiet_ = false;
    bool drained_ = false;
};

}  // namespace pulsewire::shell
