#pragma once

// Runs the shared log's channels of one shard: hands the broker what they ask for, and the node what other
// nodes say. Only this class reads their output.

#include "common/cluster/log_channels.hpp"
#include "server/shard/ports.hpp"

#include <string>

namespace pulsewire::shell {

class log_runner {
public:
    // All references outlive it.
    log_runner(
        const hub::config& settings, const cluster::replica_options& options, hub::session_port& sessions,
        node_port& all
    )
        : channels_(settings, options, sessions), all_(all) {}

    cluster::log_channels& channels() { return channels_; }
    const cluster::log_channels& channels() const { return channels_; }
    void carry_out();

private:
    cluster::log_channels channels_;
    node_port& all_;
    std::string last_warning_;
};

}  // namespace pulsewire::shell
