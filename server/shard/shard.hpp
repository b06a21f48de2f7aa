#pragma once

// One event loop with a thread of its own: a listener, the connections it accepted, and a hub. Everything
// here is touched by that thread alone; other threads reach it by posting to loop().
//
// A turn of the loop: readiness of sockets and posted values are handled one after the other; what they make
// the hub answer is queued. At the end of the turn what other shards should know leaves in one batch each,
// and what waits for a connection in one write each.
//
// The class has many members because it is the place where the parts of one loop meet; it implements the
// ports that they name, and decides little itself.

#include "common/exchange/shard_message.hpp"
#include "common/hub/hub.hpp"
#include "common/schema/types.hpp"
#include "server/base/audit_log.hpp"
#include "server/config/api_keys.hpp"
#include "server/net/socket.hpp"
#include "server/net/tls.hpp"
#include "server/shard/connection_table.hpp"
#include "server/shard/deliveries.hpp"
#include "server/shard/drain.hpp"
#include "server/shard/hub_runner.hpp"
#include "server/shard/inbox.hpp"
#include "server/shard/listener.hpp"
#include "server/shard/load_shedding.hpp"
#include "server/shard/plain_texts.hpp"
#include "server/shard/ports.hpp"
#include "server/shard/program_sessions.hpp"
#include "server/shard/shard_port.hpp"
#include "server/shard/slow_readers.hpp"
#include "server/shard/stream_desk.hpp"
#include "server/shard/stream_names.hpp"
#include "server/shard/text_inflater.hpp"
#include "server/shard/turn_posts.hpp"
#include "server/shard/waiting_line.hpp"

#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace pulsewire::shell {

using types_by_setting = std::map<const schema::types*, schema::types>;

// A refusal that the operator may have meant otherwise. Empty members are left out; all views are used during
// the call only.
struct refusal_note {
    refused_for why = refused_for::key;
    std::string_view setting;   // the one that would change it
    std::string_view sentence;  // printable, without its end
    std::string_view method, path;
    std::string_view named;  // by the client: the origin or the host that was refused
};

class shard final : public shard_port {
public:
    // `all` outlives the shard.
    shard(node_port& all, hub::shard_index index, hub::config hub_config);
    ~shard();

    // --- before its thread runs ---
    void listen(tcp_acceptor&& acceptor);
    // All that is accepted from now on speaks TLS, as `context` says. Later on its thread, with another one.
    // Shared: with the other shards, until none of them makes sessions of it any more.
    void use_tls(std::shared_ptr<const tls_context> context);
    // On its thread: others in which only what can change did, and its part of waiting_bytes_total_max.
    // Shared: with the other shards.
    void use_settings(std::shared_ptr<const config> settings, std::uint64_t waiting_bytes_max);
    // The keys of the API; later on its thread, with others. Shared: with the other shards.
    void use_keys(std::shared_ptr<const api_keys> keys) { keys_ = std::move(keys); }
    // The schemas of this shard's hub, by those of the settings that they are copies of. Shared with the hub,
    // which reads them on the same thread.
    using own_types = std::map<const schema::types*, std::shared_ptr<schema::types>>;
    void keep_types(own_types types) { types_ = std::move(types); }
    // What the data folder kept: common/hub/hub.hpp.
    template <class Kept>
    void restore(Kept&& kept) {
        if constexpr (std::is_same_v<std::remove_cvref_t<Kept>, hub::restored_channel>) note_stream(kept);
        hub_.restore(std::forward<Kept>(kept));
    }

    // Some channels are those of a log that nodes share.
    void share(const cluster::replica_options& options) {
        hub_.share(options, all_);
        name_process();
    }

    // --- on its thread ---
    void run();
    // Valid until the end of the turn.
    const config& settings() const { return *settings_; }
    // From now on payloads are checked against these, by the types of the settings.
    void use_types(const types_by_setting& fresh);
    // A batch that another shard or an observer posted; `bytes` is what it counts in mail_load.
    void receive(std::vector<hub::shard_message>&& batch, std::uint64_t bytes);
    // Whether some of that was not received yet.
    bool has_mail() const { return !mail_.empty(); }
    // The lines of clients are carried out again, where they waited because the shards did not keep up with
    // each other.
    void read_on();
    // Stops to listen and ends the connections. Safe to call again.
    void begin_drain();
    bool draining() const { return drain_.begun(); }
    // Whether it takes no new clients, because it is late (shed_loop_lag_ms).
    bool refuses_clients() const { return shedding_.refuses(); }
    // Calls `call(hub, now)` and carries out what the hub answers.
    template <class Call>
    void tell_hub(Call&& call) {
        hub_.tell(std::forward<Call>(call));
    }
    // The broker reports about the partitions of this shard. Precondition: share() was called.
    void from_broker(std::vector<cluster::from_broker>&& batch);
    // An order for the sessions of all other nodes. Precondition: this shard owns the first partition.
    void tell_nodes(const cluster::order& what);
    // Lines for a stream of another process, which `done` is told the outcome of on this thread.
    // Precondition: as for tell_nodes().
    void post_elsewhere(std::uint64_t process, cluster::post_note&& what, post_done done);
    void answer_post(std::uint64_t process, const cluster::posted_note& what);
    connection* find(std::uint64_t id) const { return connections_.find(id); }
    shard_metrics metrics_copy();
    stream_names& streams() { return streams_; }
    program_sessions& programs() { return programs_; }
    stream_desk& desk() { return desk_; }
    forward_tap& tap() { return hub_.tap(); }
    // Null without a shared log.
    const cluster::log_channels* shared() const { return hub_.shared(); }
    plain_texts& texts() { return texts_; }
    text_inflater& inflating() { return inflating_; }
    const api_keys& keys() const { return *keys_; }
    // An answer costs the address of its client as many requests as commands over /ws pay for so many bytes
    // (protocol 4.20). The first is paid by the request itself.
    void charge_answer(const address& client, std::size_t bytes);
    // Counts that a client was refused, and lets the operator find it: in the log, and in the audit log.
    void note_refusal(const address& client, const refusal_note& n);
    // Writes an entry about a client to the audit log, if there is one, within bounds.
    void audit(const address& client, audit_entry e);

    void accepted(tcp_socket&& socket) override;
    void retire(connection& c) override;
    void heard(connection& c) override;
    std::optional<access::verdict> verify(const hub::output::verification& v) override;
    void note_denial(const hub::output::denial& d) override;
    // Keys of issuers have come: tokens that waited for them are verified again.
    void verify_waiting();
    // A token proves nothing: tells the operator.
    void note_token(const address& client, std::string_view why);

private:
    void on_ready(std::uint64_t id, poller::readiness what) override;
    void end_turn() override;
    void receive_some();
    void write();
    void free_retired();
    void name_process();
    void note_stream(const hub::restored_channel& kept);
    void schedule_log_tick();
    void receive_from_broker();
    void schedule_sweep();
    void note_lag(std::chrono::duration<double> late);
    void sweep();
    void tick_on();
    bool admit_address(const address& peer, address_limits::held& into);

    node_port& all_;
    std::optional<listener> listener_;
    load_shedding shedding_;
    boost::asio::steady_timer sweep_timer_, log_timer_;
    // Before the connections, whose conversations have uses of it.
    program_sessions programs_;
    stream_desk desk_;
    connection_table connections_;
    deliveries deliveries_;
    slow_readers slow_readers_;
    inbox mail_;
    bool receive_is_due_ = false;
    turn_posts posts_;
    hub_runner hub_;
    drain drain_;
    std::deque<cluster::from_broker> from_broker_;  // not received yet
    stream_names streams_;
    plain_texts texts_;
    text_inflater inflating_;
    std::vector<hub::output::verification> unverified_;  // their issuers are being asked for keys
    waiting_line reading_, writing_little_, writing_much_;
    std::vector<std::unique_ptr<connection>> retired_;
    std::shared_ptr<const tls_context> tls_;  // null: without
    log::limit audited_, denials_;
    own_types types_;
    std::shared_ptr<const config> settings_;
    std::shared_ptr<const api_keys> keys_ = std::make_shared<const api_keys>();
    std::size_t sweep_at_ = 0;  // the place of the next connection; 0: no sweep is under way
    std::int64_t next_tick_ms_ = 0;
    bool ticks_on_ = false;
};

}  // namespace pulsewire::shell
