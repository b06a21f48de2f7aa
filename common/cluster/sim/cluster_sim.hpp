#pragma once

// Three nodes with their copies of one or two partitions, brokers in memory, and clients that publish through
// any node and move between them, in virtual time, under faults that are all drawn from one seed. First
// everything goes wrong, then nothing any more; then everybody must have come to the same end. Same seed,
// same course.

#include "common/cluster/broker_model.hpp"
#include "common/cluster/replica.hpp"
#include "common/cluster/sim/witness.hpp"
#include "common/sim/dice.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace pulsewire::cluster::sim {

using pulsewire::sim::dice;

// What a run is like.
enum class mood : std::uint8_t {
    plain,    // all faults
    storm,    // failovers and kills much more often, planned stops of all nodes
    gentle,   // only failovers that lose nothing
    vouched,  // all faults of nodes; the broker loses nothing, says nothing of its incarnation, and is
              // trusted
};

// What happened in a run, so that a test sees that enough of it does.
struct tally {
    std::uint64_t seeds = 0, acknowledged = 0, repeated = 0, given_up = 0, kills = 0, pauses = 0, cuts = 0,
                  failovers = 0, splits = 0, lost_records = 0, renewals = 0, told = 0, restated = 0,
                  expired = 0, ended = 0, checkpoints = 0, cold_starts = 0, copies_lost = 0, forgotten = 0,
                  records = 0, unavailable = 0, spoilt = 0, differed = 0;
    void add(const tally& t);
    // Each with its name, for people.
    std::string text() const;
};

class cluster_sim {
public:
    explicit cluster_sim(std::uint64_t seed);
    cluster_sim(const cluster_sim&) = delete;
    cluster_sim& operator=(const cluster_sim&) = delete;

    // To the end. Empty if nothing was wrong.
    std::string run();
    const tally& what_happened() const { return tally_; }

private:
    static constexpr std::size_t nodes_count = 3;
    static constexpr std::size_t clients_count = 4;
    static constexpr channel_number channels_count = 3;
    static constexpr std::int64_t tick_ms = 100;

    // A client's subscription of a channel.
    struct subscription {
        bool has_position = false;
        bool judged = false;  // the node it is at now has found the position to fit
        channel_epoch epoch;
        std::uint64_t offset = 0;
        std::vector<payload_number> trace;  // what it saw since it was told last
    };
    struct client {
        std::size_t node = nodes_count;  // nodes_count: nowhere
        std::uint64_t token = 0;         // of its subscriptions there
        std::int64_t came_ms = 0;        // by its node's clock
        std::array<subscription, channels_count> channels;
    };
    // A publication that a client tries until it is acknowledged or too old.
    struct pending {
        channel_number channel = 0;
        payload_number payload = 0;
        bool keyed = true;
        std::int64_t since_ms = 0;
        std::int64_t tried_ms = 0;
    };
    struct acknowledgement {
        channel_number channel = 0;
        channel_epoch epoch;
        std::uint64_t offset = 0;
    };
    struct node {
        std::vector<std::unique_ptr<replica>> replicas;  // by partition; none while it is down
        std::vector<process_id> last_process;            // of each partition, as a lock remembers it
        std::int64_t down_until_ms = 0;
        std::int64_t paused_until_ms = 0;
        std::int64_t cut_in_until_ms = 0;   // nothing comes from the broker
        std::int64_t cut_out_until_ms = 0;  // nothing gets to it
        std::int64_t stop_until_ms = 0;     // stops in good order
        std::int64_t clock_offset_ms = 0;
        std::int64_t wall_offset_ms = 0;
        std::deque<to_broker> held;  // while it is cut off
        bool dirty = true;           // its clients may have something to see
        bool is_up() const { return !replicas.empty(); }
    };

    // A client repeats a publish for less than a node would take it.
    std::int64_t repeat_ms() const { return window_ms_ / 3 - 150; }
    std::int64_t try_again_ms() const { return window_ms_ / 10; }
    std::uint32_t partition_of(channel_number c) const { return c % partitions_; }
    hub::instant clock_of(const node& n) const;
    const std::string& channel_name(channel_number c) const;
    replica_options options_of(std::size_t node_index, std::uint32_t partition);
    void start(std::size_t node_index);
    void kill(std::size_t node_index, std::int64_t down_ms);
    void stop(std::size_t node_index);
    void carry_out(std::size_t node_index, std::uint32_t partition, replica_output& out);
    void hand_on(node& n, std::size_t node_index, const to_broker& what);
    void read(std::size_t node_index, std::uint32_t partition, const from_broker& what, replica_output& out);
    void on_event(std::size_t node_index, std::uint32_t partition, const replica_event& e);
    void step(std::size_t node_index);
    void tick();
    void make_trouble();
    void fail_over(std::uint32_t partition, std::uint32_t lost, bool split);
    void spoil_a_copy();

    void publish_new();
    void try_publishes();
    void move_clients();
    void leave(std::size_t client_index);
    void come(std::size_t client_index, std::size_t node_index);
    void see(std::size_t client_index, channel_number c);
    void tell(subscription& s, channel_number c, const partition_state& z);
    void restate(std::size_t node_index, std::uint32_t partition, const restated& r);

    void compare_copies();
    bool is_settled();
    void judge_the_end();

    std::uint64_t seed_;
    dice dice_;
    mood mood_;
    std::uint32_t partitions_;
    bool tells_incarnation_;
    bool waits_for_broker_;
    bool spoils_;                   // bits flip in the nodes' copies
    dice spoil_dice_;               // drawn apart, so that the other runs are as they were
    std::uint32_t window_ms_;       // for which publish keys are remembered
    channel_number with_presence_;  // channels in which clients are listed: the first ones
    bool calm_ = false;
    std::int64_t now_ms_ = 0;
    std::vector<std::unique_ptr<broker_model>> brokers_;
    std::array<node, nodes_count> nodes_;
    std::array<client, clients_count> clients_;
    std::map<command_id, pending> pending_;  // by key
    std::map<payload_number, acknowledgement> acknowledged_;
    std::uint32_t last_payload_ = 0;
    std::uint64_t last_token_ = 0;
    std::uint64_t starts_ = 0;
    witness witness_;
    tally tally_;
};

}  // namespace pulsewire::cluster::sim
