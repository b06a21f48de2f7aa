#pragma once

// One partition of the shared log as its shard serves it: what the channels' owner is for channels of this
// node alone. Changes go into the log; what is read back from it is answered here. `log_readers` has the
// subscribers of this node, `note_exchange` what goes on between nodes. Publishes that come while there is no
// copy at all wait here, for a bounded time.

#include "common/cluster/log_output.hpp"
#include "common/cluster/log_readers.hpp"
#include "common/cluster/note_exchange.hpp"
#include "common/cluster/replica.hpp"
#include "common/cluster/standing.hpp"
#include "common/exchange/config.hpp"
#include "common/exchange/ports.hpp"

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace pulsewire::cluster {

// What an operator wants to know of a partition.
struct partition_facts {
    partition_index partition = 0;
    bool serves = false;
    std::string degraded_because;  // empty: it serves, or did a moment ago
    std::uint64_t records = 0;     // of the log that the copy has read
    std::uint64_t bytes = 0;       // ... behind its newest checkpoint
    std::uint64_t nodes = 0;       // alive by the log's word
    std::uint64_t channels = 0;
    std::uint64_t waiting = 0;  // publishes without an outcome, and reads that wait for the copy
};

class log_partition final : private note_port {
public:
    // All references outlive it.
    log_partition(
        const hub::config& settings, replica_options options, hub::session_port& sessions,
        hub::channel_counters& counted, log_output& out
    );

    // --- from the hub: common/exchange/to_channel.hpp ---
    void publish(const hub::publish_view& p, hub::instant now);
    void on(hub::publish&& p, hub::instant now) { publish(p.as<std::string_view>(), now); }
    void on(hub::join&& j, hub::instant now);
    void on(hub::part&& p, hub::instant now);
    void on(hub::ask&& a, hub::instant now) { notes_.ask(std::move(a), now); }
    void on(hub::unask&& u, hub::instant now) { notes_.unask(std::move(u), now); }
    void on(hub::attach&& a, hub::instant now) { readers_.attach(std::move(a), now); }
    void on(hub::detach&& d, hub::instant) { readers_.detach(d); }
    void on(hub::query&& q, hub::instant now) { readers_.query(std::move(q), now); }
    // The answer to a request that another node's client made.
    void answer(hub::reply&& r, hub::instant now) { notes_.answer(std::move(r), now); }
    // To the sessions of all other nodes.
    void tell_nodes(const order& o, hub::instant now) { say(0, o, now); }
    // Whether the process is alive and another, and the log takes words for it.
    bool reaches(process_id p) const;
    void tell(process_id p, const note& n, hub::instant now) { say(p, n, now); }

    // --- from the shell ---
    void on(const from_broker& what, hub::instant now);
    // To be called every 100 ms or so.
    void tick(hub::instant now);

    const replica& copy() const { return replica_; }
    // The channels that are forwarded with something that is not, by the place that a channel of this
    // partition holds: a log time, of which everything before was forwarded. Since it is in the log that it
    // is about, a loss of the log's end takes it back as far. Nothing while the copy does not serve.
    std::vector<hub::channel_rest> rests(std::string_view place_channel) const;
    partition_facts facts() const;
    // Why nothing of the partition goes on; empty: it does, or did a moment ago.
    const std::string& degraded_because() const { return standing_.told(); }

private:
    struct waiting_publish {
        std::int64_t since_ms = 0;
        hub::publish what;
    };
    struct open_publish {
        hub::connection_ref from;
        std::uint64_t id = 0;
        std::string channel;
    };
    struct leaving {
        std::int64_t due_ms = 0;
        hub::part what;
    };

    template <class Call>
    void drive(Call&& call, hub::instant now);
    void handle(replica_event&& e, hub::instant now);
    void on_effect(const effect& e, hub::instant now);
    void on_outcome(command_id id, const accepted& what, hub::instant now);
    void on_failure(
        command_id id, error_code code, std::string_view text, hub::instant now, std::uint64_t offset = 0
    );
    command_id submit(const hub::publish_view& p, bool wants_outcome, hub::instant now);
    // Of a keyed channel that has grown (protocol 4.32): one node does it, the first of those that live.
    void make_snapshot(std::string_view channel, hub::instant now);
    // The outcome of one of its parts is there.
    void on_part(command_id id, const std::string& channel);
    void look_at_waiting(hub::instant now);
    void refuse(const hub::publish& p, hub::instant now);
    bool is_ours_to_forward() const;
    void look_at_turn();
    void say(process_id to, const note& n, hub::instant now) override;
    void reply_to(const hub::connection_ref& to, hub::message_ptr what, hub::instant now);

    const hub::config& config_;
    partition_index index_;
    std::int64_t wait_ms_;
    hub::session_port& sessions_;
    hub::channel_counters& counters_;
    log_output& out_;
    replica replica_;
    replica_output output_;
    std::vector<replica_event> events_;  // that are handled; what that brings comes into output_
    bool handling_ = false;
    log_readers readers_;
    note_exchange notes_;
    std::deque<waiting_publish> waiting_;                     // for a copy, in order of arrival
    std::unordered_map<command_id, open_publish> publishes_;  // in the log or on their way
    // The channels of which a snapshot is on its way, with the last of its parts.
    std::map<std::string, command_id, std::less<>> snapshots_;
    command_id last_command_ = 0;
    std::deque<leaving> leaving_;  // their sessions stay listed for presence_leave_ms
    standing standing_;
    bool is_ours_ = false;  // to forward
};

}  // namespace pulsewire::cluster
