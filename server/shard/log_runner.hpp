#pragma once

// Runs the shared log's channels of one shard: hands the broker what they ask for, and the node what other
// nodes say. Only this class reads their output.

#include "common/cluster/log_channels.hpp"
#include "server/shard/ports.hpp"

#include <cstdint>
#include <map>
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

    // Gives lines to a stream of another process. Precondition: the shard owns the first partition.
    void post_elsewhere(std::uint64_t process, cluster::post_note&& what, post_done done, hub::instant now);
    // To be called every 100 ms or so.
    void tick(hub::instant now);

private:
    cluster::log_channels channels_;
    node_port& all_;
    bool has_begun_ = false;
    std::string last_warning_;
    struct posted {
        post_done done;
        std::int64_t due_ms = 0;
    };
    std::map<std::uint64_t, posted> posts_;  // on their way to other nodes, in order of time
    std::uint64_t last_post_ = 0;
};

}  // namespace pulsewire::shell
