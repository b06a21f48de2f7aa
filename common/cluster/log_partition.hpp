#pragma once

// One partition of the shared log as its shard serves it: what the channels' owner is for channels of this
// node alone. Changes go into the log; what is read back from it is told to subscribers and answered.
// Subscribing, recovery and history come from the copy (replica). While the copy does not serve, everything
// waits here, for a bounded time.

#include "common/cluster/former_names.hpp"
#include "common/cluster/notes.hpp"
#include "common/cluster/open_asks.hpp"
#include "common/cluster/replica.hpp"
#include "common/cluster/watched_channel.hpp"
#include "common/exchange/config.hpp"
#include "common/exchange/ports.hpp"

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

namespace pulsewire::cluster {

// What partitions ask of the shell, in order.
struct log_output {
    std::vector<to_broker> broker;
    std::vector<order> orders;  // another node's, for this one
    // Lines for a stream of this node, with the node that waits for the outcome; and outcomes.
    struct stream_post {
        process_id from = 0;
        post_note what;
    };
    std::vector<stream_post> posts;
    std::vector<posted_note> posted;
    std::vector<std::string> warnings;  // sentences for the operator
    std::vector<std::string> notes;     // ... about what is well
};

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

class log_partition {
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
    void on(hub::ask&& a, hub::instant now);
    void on(hub::unask&& u, hub::instant now);
    void on(hub::attach&& a, hub::instant now);
    void on(hub::detach&& d, hub::instant now);
    void on(hub::query&& q, hub::instant now);
    // The answer to a request that another node's client made.
    void answer(hub::reply&& r, hub::instant now);
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
    partition_facts facts() const;
    // Why nothing of the partition goes on; empty: it does, or did a moment ago.
    const std::string& degraded_because() const { return told_why_; }

private:
    struct waiting_publish {
        hub::connection_ref from;
        std::uint64_t id = 0;
        std::string channel;
    };
    struct waiting {
        std::int64_t since_ms = 0;
        std::variant<hub::publish, hub::attach, hub::query> what;
    };
    struct leaving {
        std::int64_t due_ms = 0;
        hub::part what;
    };

    template <class Call>
    void drive(Call&& call, hub::instant now);
    void handle(replica_event&& e, hub::instant now);
    void on_serving(hub::instant now);
    void on_degraded(std::string reason, hub::instant now);
    void on_restated(const restated& r, hub::instant now);
    void on_effect(const effect& e, hub::instant now);
    void on_publication(const publication& p, const channel_epoch* in, hub::instant now);
    void on_forgotten(const std::string& channel, hub::instant now);
    void on_note(const noted& n, hub::instant now);
    void hear_kept();
    void carry_out(ask_note&& a, process_id from, hub::instant now);
    void on_outcome(command_id id, const accepted& what, hub::instant now);
    void on_failure(command_id id, error_code code, std::string_view text, hub::instant now);

    void submit(const hub::publish_view& p, hub::instant now);
    bool attach_now(hub::attach& a, std::int64_t since_ms, hub::instant now);
    void answer_now(const hub::query& q, hub::instant now);
    void wait(std::variant<hub::publish, hub::attach, hub::query>&& what, hub::instant now);
    void look_at_waiting(hub::instant now);
    void refuse(waiting&& w, hub::instant now);
    void catch_up(watched_channel& c, hub::instant now);
    void broadcast(const watched_channel& c, const hub::message_ptr& m, hub::instant now);
    void tell_position(const watched_channel& c, std::string_view lost, hub::instant now);
    void withdraw(const hub::withdrawn& what, hub::instant now);
    void say(process_id to, const note& n, hub::instant now);
    void reply_to(
        const hub::connection_ref& to, hub::message_ptr what, hub::instant now, std::uint64_t ends = 0
    );
    hub::connection_ref foreign(std::uint64_t number) const;
    channel_view view_of(std::string_view channel) const;
    const shared_channel* find(std::string_view channel) const {
        return replica_.state()->channels().find(channel);
    }

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

    std::unordered_map<std::string, watched_channel, name_hash, std::equal_to<>> watched_;
    std::deque<waiting> waiting_;        // in order of arrival
    std::size_t waiting_publishes_ = 0;  // among them
    std::unordered_map<command_id, waiting_publish> publishes_;
    command_id last_command_ = 0;
    std::deque<leaving> leaving_;  // their sessions stay listed for presence_leave_ms
    open_asks asks_;
    bool heard_kept_ = false;  // of the present copy, what nodes were told before
    former_names former_names_;
    std::int64_t away_since_ms_ = INT64_MIN;  // INT64_MIN: the copy serves
    std::string why_, told_why_;
};

}  // namespace pulsewire::cluster
