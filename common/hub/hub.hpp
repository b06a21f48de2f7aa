#pragma once

// One shard's share of the server's logic: the sessions of the connections it accepted, the subscribers among
// them, and the logs of the channels it owns. Sans-I/O: the shell tells what happened and what time it is;
// what should happen next collects in output(), which the shell carries out and clears after each call. One
// hub belongs to one thread; hubs of a node speak to each other only through `posts`.

#include "common/base/keyed_hash.hpp"
#include "common/hub/channel.hpp"
#include "common/hub/history_budget.hpp"
#include "common/hub/idempotency.hpp"
#include "common/hub/message.hpp"
#include "common/hub/session.hpp"
#include "common/hub/shard_message.hpp"
#include "common/hub/store.hpp"
#include "common/hub/subscribers.hpp"
#include "common/hub/unstored.hpp"
#include "common/protocol/command.hpp"
#include "common/protocol/limits.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace pulsewire::hub {

struct config {
    limits bounds;
    namespace_options default_namespace;
    // By name, which is the part of a channel before its first ':' (channels without one: "").
    std::unordered_map<std::string, namespace_options> namespaces;
    shard_index shard = 0;
    shard_index shard_count = 1;
    // Told to clients in welcome, e.g. "pulsewire/0.1.0".
    std::string server_name = "pulsewire";
    // Where clients are told to come back by drain() and hand_over(); empty: where they came from.
    std::string drain_url;
    // 64 random bits: a source of epochs. Two lives of a node must not share it.
    std::uint64_t seed = 0;
    // Hashes what outsiders name, and what they publish under a key: the same on all shards of a node, and
    // where there is a store, in all its lives.
    hash_key secret;
    // The source of the epochs of durable channels: see durable_epoch().
    std::uint64_t store_id = 0;
    std::uint64_t store_generation = 0;
    // What the application wants to hear. With `publishes`, every publish of a client passes through it.
    bool tell_connections = false;
    bool tell_subscriptions = false;
    bool tell_publishes = false;
    bool tell_requests = false;
};

// What the shell should do. First all `sends` in order, then all `closes`; `posts` and `stores` at any time,
// each in order.
struct output {
    // One message to one connection, or to many: a publication is named once, whoever gets it.
    struct send {
        message_ptr what;
        std::uint32_t first = 0;  // its connections' place in `receivers`
        std::uint32_t count = 0;
        bool replayed = false;  // from history: bounded by recovery_max, whatever the connection can take now
        // Of a message to a channel's subscribers: the next one of the channel with the same number goes to
        // the same connections, and none of them has come or gone in between. 0: says nothing.
        std::uint64_t audience = 0;
    };
    // The connection is forgotten by the hub already; closed() for it is allowed and does nothing.
    struct close {
        std::uint64_t connection;
        close_code code;
        std::string reason;
    };
    struct post {
        shard_index to;  // never the own shard; may be `application`
        shard_message what;
    };
    std::vector<send> sends;
    std::vector<std::uint64_t> receivers;
    std::vector<close> closes;
    std::vector<post> posts;
    std::vector<store_op> stores;

    // The connections that a message goes to.
    std::span<const std::uint64_t> to(const send& s) const {
        return std::span(receivers).subspan(s.first, s.count);
    }
    bool empty() const { return sends.empty() && closes.empty() && posts.empty() && stores.empty(); }
    void clear();
    void swap(output& other) noexcept;
    void add_send(message_ptr what, std::uint64_t connection, bool replayed = false);
};

// Counted since the hub was made; read them between calls.
struct counters {
    std::uint64_t commands = 0;           // frames received from clients
    std::uint64_t publications = 0;       // put in order by this shard
    std::uint64_t duplicates = 0;         // publishes answered from the idempotency window
    std::uint64_t unstored = 0;           // publishes refused because the store failed
    std::uint64_t keys_reused = 0;        // publishes refused because their key stands for another content
    std::uint64_t histories_shrunk = 0;   // times that a channel gave up publications for the sake of all
    std::uint64_t deliveries = 0;         // messages handed to connections of this shard
    std::uint64_t errors = 0;             // error answers
    std::uint64_t recoveries = 0;         // subscribes with a position that recovered
    std::uint64_t failed_recoveries = 0;  // ... that did not
};

class hub {
public:
    explicit hub(config c);

    // A connection was opened. `secret` goes into its welcome (protocol 4.2); empty where POST is not used.
    // `session_name` is given for faces that send no connect frame, which are welcome at once.
    void open(
        std::uint64_t connection, face f, std::string_view secret, std::string_view session_name, instant now
    );
    // Lines arrived (protocol 2.3); for the faces that speak in frames. They are carried out one after the
    // other until this call has put more than `answer_bytes_max` for the connection into out(), or until
    // other shards are making answers for it: nobody may make the server hold more answers than it reads.
    // Returns how many bytes of `lines` are done; the rest is to be given again when the answers are written.
    // All, when the connection is gone.
    static constexpr std::size_t no_limit = SIZE_MAX;
    std::size_t receive(
        std::uint64_t connection, std::string_view lines, instant now, std::size_t answer_bytes_max = no_limit
    );
    // A message was larger than message_bytes_max; `head` is its beginning.
    void receive_oversized(std::uint64_t connection, std::string_view head, instant now);
    // One command that the shell made itself (plain faces, HTTP API). Its views are used only during the
    // call.
    void execute(std::uint64_t connection, const command& c, instant now);
    // A sign of life that is not a line, e.g. a WebSocket pong.
    void heard(std::uint64_t connection, instant now);
    // The connection is gone.
    void closed(std::uint64_t connection, instant now);
    // A value posted by another shard or the application.
    void receive(shard_message&& m, instant now);
    // To be called about once a second: heartbeats, deadlines, ages.
    void tick(instant now);
    // The server goes down: every protocol connection is told to come back after a moment of its own within
    // `spread_ms`, and closed.
    void drain(close_code code, std::uint32_t spread_ms, instant now);
    // The same for a server in whose place another one takes new connections: clients of the protocol are
    // told to open their next connection within `spread_ms`, and keep this one until that serves, or drain()
    // comes.
    void hand_over(close_code code, std::uint32_t spread_ms, instant now);

    // --- durable channels: common/hub/store.hpp ---

    // Before anything else: what the store kept of the channels that this hub owns, channels first. What a
    // namespace keeps no longer, or is not durable any more, is left out.
    void restore(restored_channel&& kept, instant now);
    void restore(const restored_key& kept, instant now);
    // The operations up to `number` are safe.
    void stored(std::uint64_t number, instant now);
    // An operation of `term` was not carried out, and none after it. All publishes that wait get the error.
    void store_failed(std::uint32_t term, error_code code, std::string_view text, instant now);

    output& out() { return output_; }
    const counters& count() const { return counters_; }
    std::size_t session_count() const { return sessions_.size(); }
    std::size_t subscription_count() const { return subscribers_.size(); }
    std::size_t channel_count() const { return channels_.size(); }
    // Of all channels with their histories: limits::history_bytes_total_max.
    std::uint64_t history_bytes() const { return histories_.bytes(); }

    // The shard that owns a channel's log.
    static shard_index owner_of(std::string_view channel, shard_index shard_count, const hash_key& secret);

private:
    session* find(std::uint64_t connection);
    connection_ref ref_to(const session& s) const { return {config_.shard, s.connection}; }
    const namespace_options& options_of(std::string_view channel) const;
    shard_index owner_of(std::string_view channel) const {
        return owner_of(channel, config_.shard_count, config_.secret);
    }
    // Values to the own shard are handled at once, others wait in the output.
    template <class Value>
    void post(shard_index to, Value&& m, instant now) {
        if (to == config_.shard) return on(std::forward<Value>(m), now);
        output_.posts.push_back({to, std::forward<Value>(m)});
    }

    void heard(session& s, instant now);
    void receive_line(session& s, std::string_view line, bool& limit_told, instant now);
    void answered(const connection_ref& to, std::uint8_t weight);
    void execute(session& s, const command& c, instant now);
    void send(session& s, message_ptr m, instant now);
    void refuse(session& s, const command& c, error_code code, std::string_view text, instant now);
    void answer_error(session& s, std::uint64_t id, error_code code, std::string_view text, instant now);
    void end(session& s, close_code code, std::string_view reason, instant now);
    std::vector<std::uint64_t> connections() const;
    void send_away(session& s, close_code code, std::uint32_t spread_ms, instant now);
    void forget(session& s, instant now);
    bool take_credit(session& s, std::uint32_t commands, instant now);

    void on_connect(session& s, const command& c, instant now);
    void on_subscribe(session& s, const command& c, instant now);
    void on_unsubscribe(session& s, const command& c, instant now);
    void on_publish(session& s, const command& c, instant now);
    void on_request(session& s, const command& c, instant now);
    void on_query(session& s, const command& c, instant now);
    void on_cancel(session& s, const command& c, instant now);
    std::uint32_t take_up(session& s, const command& c, instant now);
    void on_client_request(session& s, const command& c, instant now);
    void on_respond(session& s, const command& c, instant now);
    void withdraw(const session& s, const request_in_flight& r, instant now);
    void forget_requests(session& s, instant now);
    void answer_ask(
        const connection_ref& from, std::uint64_t id, error_code code, std::string_view text, instant now
    );
    void remove(subscription& sub, instant now);

    void on(attach&& m, instant now);
    void on(detach&& m, instant now);
    void on(publish&& m, instant now) { order(m.as<std::string_view>(), now); }
    void on(query&& m, instant now);
    void on(ask&& m, instant now);
    void on(asked&& m, instant now);
    void on(unask&& m, instant now);
    void on(attached&& m, instant now);
    void on(attach_refused&& m, instant now);
    void on(deliver&& m, instant now);
    void on(reply&& m, instant now);
    void on(disconnect&& m, instant now);
    template <class ForTheApplication>
    void on(ForTheApplication&&, instant) {}

    channel* find_channel(std::string_view name);
    channel* channel_for(std::string_view name, instant now);
    void shrink_histories(std::uint64_t wanted = 0);
    void forget_if_empty(channel& c);
    void broadcast(const channel& c, message_ptr m, instant now);
    void answer_publish(const connection_ref& from, std::uint64_t id, message_ptr answer, instant now);
    void put_in_order(channel& c, message_ptr m, const publish_key& key, instant now);
    std::string epoch_for(std::string_view channel) const;
    void order(const publish_view& p, instant now);
    bool repeats(const publish_view& p, const idempotency_window::known& before, instant now);
    void keep(channel& c, const publish_view& p, instant now);
    template <class Operation>
    void store(Operation&& what) {
        output_.stores.push_back({++store_number_, store_term_, std::forward<Operation>(what)});
    }
    void trim_store(channel& c);
    void forget(channel& c);
    void sweep_sessions(instant now);
    void expire_requests(session& s, instant now);
    void sweep_channels(instant now);

    config config_;
    output output_;
    counters counters_;
    std::unordered_map<std::uint64_t, std::unique_ptr<session>> sessions_;
    subscriber_table subscribers_;
    std::unordered_map<std::string, std::unique_ptr<channel>, name_hash, std::equal_to<>> channels_;
    history_budget histories_;
    std::vector<std::uint32_t> forgotten_;  // how many channels with publications, by hash of their name
    idempotency_window idempotency_;
    std::set<std::string> leaving_;  // channels where somebody is about to leave presence
    unstored_publishes unstored_;
    std::uint64_t store_number_ = 0;
    std::uint32_t store_term_ = 0;
    std::int64_t keys_stored_ms_ =
        0;  // wall clock when the last key was given to the store; 0: all forgotten
    std::uint64_t last_token_ = 0;
    std::uint64_t random_ = 0;
    std::int64_t channels_swept_ms_ = 0;
    std::string scratch_;
};

}  // namespace pulsewire::hub
