#pragma once

// One event loop with a thread of its own: a listener, the connections it accepted, and a hub. Everything
// here is touched by that thread alone; other threads reach it by posting to loop().
//
// A turn of the loop: readiness of sockets and posted values are handled one after the other; what they make
// the hub say is queued. At the end of the turn what other shards should know leaves in one batch each, and
// what waits for a connection in one write each.

#include "common/hub/hub.hpp"
#include "common/hub/shard_message.hpp"
#include "server/net/compression.hpp"
#include "server/net/outbound.hpp"
#include "server/net/poller.hpp"
#include "server/net/socket.hpp"
#include "server/net/tls.hpp"
#include "server/shard/connection_table.hpp"
#include "server/shard/fan_out.hpp"
#include "server/shard/listener.hpp"
#include "server/shard/metrics.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace pulsewire::shell {

class node;

class shard {
public:
    // `home` outlives the shard.
    shard(node& home, hub::shard_index index, hub::config hub_config);
    ~shard();

    // --- from any thread ---
    boost::asio::io_context& loop() { return loop_; }
    hub::shard_index index() const { return index_; }

    // --- before its thread runs ---
    void listen(tcp_acceptor&& acceptor);
    // All that is accepted from now on speaks TLS, as `context` says. Later on its thread, with another one.
    // Shared: with the other shards, until none of them makes sessions of it any more.
    void use_tls(std::shared_ptr<const tls_context> context);
    // What the data folder kept: common/hub/hub.hpp.
    template <class Kept>
    void restore(Kept&& kept) {
        hub_.restore(std::forward<Kept>(kept), now());
    }

    // --- on its thread ---
    void run();
    // The rest is for the loop's own handlers.
    void receive(std::vector<hub::shard_message>&& batch);
    void begin_drain();
    void accepted(tcp_socket&& socket);

    hub::instant now() const;
    const shell_limits& bounds() const;
    node& home() { return home_; }
    shard_metrics& metrics() { return metrics_; }
    shard_metrics metrics_copy() const;
    outbound_storage& storage() { return storage_; }
    std::span<char> scratch() { return scratch_; }
    // For what comes out of the scratch buffer by TLS; empty without.
    std::span<char> plaintext_scratch() { return plaintext_; }
    bool draining() const { return draining_; }
    connection* find(std::uint64_t id) const { return connections_.find(id); }

    // Calls `call(hub, now)` and carries out what the hub says.
    template <class Call>
    void tell_hub(Call&& call) {
        call(hub_, now());
        carry_out();
    }

    // Names of event streams that commands are posted to (protocol 8.2); the name tells this shard's index.
    std::string register_stream(std::uint64_t connection);
    void forget_stream(std::string_view secret);
    std::optional<std::uint64_t> find_stream(std::string_view secret) const;
    // The shard whose stream a secret names; nothing when it is not one of ours.
    static std::optional<hub::shard_index> shard_of_stream(std::string_view secret);

    // The raw text of a message (protocol 10.1), made once for all who get it in a row. Keeps the message
    // alive.
    shared_bytes plain_text(const hub::message_ptr& m, std::string (*text_of)(std::string_view payload));

    // Undoes a client's compression; the text is valid until the next call.
    inflater::outcome decompress(std::string_view payload, std::size_t bytes_max, std::string_view& text) {
        const auto how = inflater_.decompress(payload, bytes_max, inflated_);
        text = inflated_;
        return how;
    }

    // --- for connections ---
    void flush_at_turn_end(connection& c);
    void read_on_at_turn_end(connection& c);
    // More waits for one that does not keep up.
    void watch_waiting() {
        if (storage_.memory().is_too_much()) schedule_turn_end();
    }
    void retire(connection& c);
    poller& poll() { return poller_; }

private:
    template <class Call>
    void guarded(std::uint64_t id, Call&& call) noexcept;
    void carry_out();
    void deliver(const hub::output::send& s, std::span<const std::uint64_t> to);
    void give(const hub::output::send& s, std::span<const std::uint64_t> to);
    bool is_worth_joining(const hub::output::send& s) const;
    void catch_up(std::uint64_t id);
    void visit(const fan_out::visit& v, bool writes);
    void post(hub::output::post&& p);
    bool application_is_full(const hub::shard_message& m);
    void schedule_turn_end();
    void end_turn();
    void read_on_connections();
    void cut_slowest();
    void report_cuts();
    void write_gathered();
    void post_batches();
    void post_stores();
    void flush_connections();
    void schedule_sweep();
    void sweep();
    void refuse(tcp_socket&& socket);
    void end_connections();
    void end_idle_http();
    void report_if_quiet();
    void report_if_drained();

    node& home_;
    hub::shard_index index_;
    boost::asio::io_context loop_{1};
    poller poller_;
    std::optional<listener> listener_;
    boost::asio::steady_timer sweep_timer_;
    boost::asio::steady_timer handover_timer_;
    hub::hub hub_;
    hub::output work_;
    outbound_storage storage_;
    connection_table connections_;
    std::unordered_map<std::string, std::uint64_t> streams_;
    std::vector<std::uint64_t> dirty_, flushing_;
    std::vector<std::uint64_t> reading_on_;  // have room again
    std::vector<std::unique_ptr<connection>> retired_;
    std::vector<std::vector<hub::shard_message>> batches_;  // by target, the application's last
    std::vector<hub::store_op> stores_;                     // of this turn
    std::vector<char> scratch_, plaintext_;
    std::shared_ptr<const tls_context> tls_;  // null: without
    fan_out fan_out_;
    inflater inflater_;
    std::string inflated_;
    hub::message_ptr plain_from_;  // what plain_text_ was made of
    shared_bytes plain_text_;
    shard_metrics metrics_;
    std::int64_t oldest_publication_ms_ = 0;  // of this turn
    std::int64_t next_tick_ms_ = 0;
    std::int64_t cuts_reported_ms_ = 0;
    std::uint64_t cuts_reported_ = 0;  // of metrics_.waiting_cuts
    bool carrying_out_ = false;
    bool turn_end_scheduled_ = false;
    bool draining_ = false;
    bool quiet_ = false;
    bool drained_ = false;
};

}  // namespace pulsewire::shell
