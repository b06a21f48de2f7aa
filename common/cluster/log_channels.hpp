#pragma once

// The channels of the shared log as one shard serves them: the third part of a hub, beside the sessions and
// the channels of this node alone. It has the partitions that the shard owns. Sans-I/O, as the hub: the shell
// hands in what the broker reports and the time, and carries out what is in out().

#include "common/cluster/log_partition.hpp"

#include <memory>
#include <string>
#include <vector>

namespace pulsewire::cluster {

class log_channels final : public hub::log_port {
public:
    // `options` is for all partitions, of which each gets its number and a seed of its own. Both references
    // outlive it. Precondition: settings.partitions is not 0.
    log_channels(const hub::config& settings, const replica_options& options, hub::session_port& sessions);

    void publish(const hub::publish_view& p, hub::instant now) override;
    void change(hub::channel_change&& value, hub::instant now) override;
    void read(hub::channel_read&& value, hub::instant now) override;
    void read(hub::attach&& value, hub::instant now) override;
    void read(hub::detach&& value, hub::instant now) override;
    void answer(hub::reply&& value, hub::instant now) override;

    void on(const from_broker& what, hub::instant now);
    // To be called every 100 ms or so.
    void tick(hub::instant now);
    // To the sessions of all other nodes. Precondition: owns(0).
    void tell_nodes(const order& o, hub::instant now);
    // The partition by which nodes speak to each other. Precondition: owns(0).
    log_partition& first() { return *partitions_[0]; }
    const log_partition& first() const { return *partitions_[0]; }
    // Precondition: owns(p).
    const log_partition& at(partition_index p) const { return *partitions_[p]; }
    bool owns(partition_index p) const { return p < partitions_.size() && partitions_[p] != nullptr; }

    log_output& out() { return out_; }
    const hub::channel_counters& count() const { return counters_; }
    // Of the own partitions.
    std::vector<partition_facts> facts() const;
    bool all_serve() const;
    // Whether one of them can take no part until somebody changes something.
    bool stands_back() const;

private:
    log_partition& of(std::string_view channel) {
        return *partitions_[hub::partition_of(channel, config_.partitions)];
    }
    void tell_standing(hub::instant now);

    const hub::config& config_;
    hub::session_port& sessions_;
    hub::channel_counters counters_;
    log_output out_;
    std::vector<std::unique_ptr<log_partition>> partitions_;  // null: another shard's
    std::string logged_;  // why the own partitions do not go on; empty: they do
    std::int64_t logged_ms_ = 0;
};

}  // namespace pulsewire::cluster
