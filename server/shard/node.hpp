#pragma once

// One server process: its shards and their threads, and what they share. What is shared is constant after
// start(), or atomic and off the message path.
//
// Its class has many members because everything that belongs to the whole process meets here, certificate,
// data folder, limits and threads; most of them are one line, for one of those who ask.

#include "common/exchange/shard_message.hpp"
#include "server/base/audit_log.hpp"
#include "server/base/refused_origins.hpp"
#include "server/config.hpp"
#include "server/identity/authenticator.hpp"
#include "server/net/address_limits.hpp"
#include "server/net/tls.hpp"
#include "server/shard/broker_mail.hpp"
#include "server/shard/countdown.hpp"
#include "server/shard/feed_counters.hpp"
#include "server/shard/forward_counters.hpp"
#include "server/shard/forward_tap.hpp"
#include "server/shard/mail_load.hpp"
#include "server/shard/ports.hpp"
#include "server/shard/shard.hpp"
#include "server/storage/commit_thread.hpp"
#include "server/storage/folder_lock.hpp"
#include "server/storage/log_store.hpp"

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace pulsewire::shell {

class node final : public node_port {
public:
    // The observers outlive the node.
    node(const config& settings, std::vector<observer_port*> observers, welcome how);
    ~node();

    // These four throw std::runtime_error with a sentence for the operator. First, whether the port is free,
    // and whether certificate and key, if there are to be any, can be used.
    void check_port() const;
    void check_tls() const;
    // Whether the data folder, if there is to be one, is this node's now; false while another server has it.
    bool take_folder();
    // Before start(): what is called for each value that the broker is to get, from any thread. The broker's
    // reports come by from_broker().
    void use_broker(std::function<void(cluster::to_broker&&)> post) { post_to_broker_ = std::move(post); }
    // Before start(): what /metrics shows of the feeds. They outlive the node's threads.
    void use_feeds(std::vector<const feed_counters*> feeds) { feeds_ = std::move(feeds); }
    std::span<const feed_counters* const> feeds() const { return feeds_; }
    // Before start(): the channels that are forwarded, as patterns, who is told of them by each shard on its
    // thread, and what /metrics shows. All outlive the node's threads.
    struct forwarding {
        std::vector<std::string> patterns;
        std::function<forward_tap::reader(hub::shard_index)> reader_for;
        std::vector<const forward_counters*> counters;
    };
    void use_forwards(forwarding f) { forwards_ = std::move(f); }
    std::span<const forward_counters* const> forwards() const { return forwards_.counters; }
    // In the broker's order; may move from the values. Waits while the loops do not keep up. On the broker's
    // thread.
    void from_broker(std::span<cluster::from_broker> values);
    // Opens the data folder, binds, and runs the shards' threads. Precondition: take_folder() was true.
    void start();
    std::uint16_t port() const { return port_; }
    // Reads certificate and key again. What is accepted from now on gets them; open connections keep theirs.
    // Throws std::runtime_error with a sentence for the operator, and then everything stays as it was.
    // Precondition: started, with TLS.
    void reload_tls();
    // Every shard ends its connections. Both are called once, on some shard's thread: `quiet` when no client
    // can ask for anything any more, `drained` when all connections have gone.
    void drain(std::function<void()> quiet, std::function<void()> drained);
    // `settled` is called on some shard's thread when every shard has carried out what was posted to it
    // before.
    void settle(std::function<void()> settled);
    // What the commit thread was given is written, the log closed and its folder free.
    // Publishes to durable channels fail from now on. Safe to call again.
    void release_log();
    // Tells /healthz to say 503 while everything else goes on.
    void announce_drain() { announced_ = true; }
    // Ends the threads, whatever is still open. Safe to call again.
    void stop();

    // --- from any thread ---
    // As they were at the start.
    const config& settings() const override { return settings_; }
    hub::shard_index shard_count() const override { return shard_count_; }
    shard& at(hub::shard_index index) { return *shards_[index]; }
    hub::shard_index index_of_owner(std::string_view channel) const {
        return hub::owner_of(channel, owners_);
    }
    shard& owner_of(std::string_view channel) { return at(index_of_owner(channel)); }
    const mail_load& mail() const override { return mail_; }
    void post(hub::shard_index to, std::vector<hub::shard_message>&& batch) override;
    void received(std::uint64_t bytes) override;
    void store(hub::shard_index from, std::vector<hub::store_op>&& operations) override;
    bool announced_drain() const { return announced_; }
    address_limits* addresses() override { return &addresses_; }
    std::optional<access::verdict> verify(std::string_view token, std::string& refused) override;
    // Whether clients are asked who they are.
    bool asks_who() const { return !settings_.issuers.empty(); }
    // Who may show what, and the tickets for it. Precondition: started.
    identity::authenticator& doorkeeper() { return *authenticator_; }
    // Tokens count no more, and connections that showed one end. `done` is called when that is kept for
    // later, on the thread that waits for the disk; with false when it cannot be kept, and then nothing has
    // happened. From any thread.
    void revoke(hub::revoke what, std::function<void(bool kept)> done);
    // Tells the sessions of all shards, and of all other nodes that share the log; of a revoke: the
    // connections end, and the tokens go on counting. From any thread.
    void tell_sessions(const cluster::order& what);
    void to_broker(std::vector<cluster::to_broker>&& values) override;
    void received_from_broker(std::uint64_t bytes) override { broker_mail_.received(bytes); }
    void obey(cluster::order&& what) override;
    std::uint64_t process() const override { return process_; }
    void log_begins() override { ++shards_with_log_; }
    void log_stands_back() override { stands_back_ = true; }
    bool log_is_ready() const { return shards_with_log_ >= shard_count_ && !stands_back_; }
    bool shares_log() const { return post_to_broker_ != nullptr; }
    void name_process(std::uint64_t process) override { process_ = process; }
    void take_post(cluster::log_output::stream_post&& what) override;
    // Gives lines to an event stream of this node or another; `done` is called once, on any shard's thread.
    void post_to_stream(std::string name, std::string lines, post_done done);
    // Reads the keys of the issuers' files again. Throws std::runtime_error with a sentence for the operator,
    // and then the keys stay as they were. Precondition: started.
    void reload_issuers();
    // Whether there are files of them.
    bool has_issuer_files() const;
    // Reads the schema files of all namespaces again, for what is published from now on. Throws
    // std::runtime_error with a sentence for the operator, and then the schemas stay as they were.
    // Precondition: started.
    void reload_types();
    bool has_type_files() const;
    refused_origins& turned_away() { return turned_away_; }
    void audit(std::string_view line) override {
        if (audit_) audit_->write(line);
    }
    // An administrative act, for the audit log.
    void audit_act(std::string_view event);
    // Others in which only what can change while the server runs did (config/reload.hpp). The file of API
    // keys is read again. Throws std::runtime_error with a sentence for the operator, and then everything
    // stays as it was. Precondition: started.
    void reload_settings(const config& fresh);
    // The namespaces of these hold from now on, for channels that are there, too. Precondition: started.
    void reload_namespaces(const config& fresh);
    // Whether the data folder refuses writes. A publish finds out when it works again; where none comes
    // because nobody is sent here, asking does, for the next time.
    bool storage_is_failing();
    // Makes a copy of the data folder as it is now, in a folder that is not there yet; `done` is called once,
    // on the thread that waits for the disk, with the reason when there is none. Precondition: started, with
    // a data folder, and release_log() was not called. From any thread.
    void checkpoint(std::string folder, std::function<void(std::optional<std::string> fault)> done);
    // Null without a data folder.
    const storage_counters* storage_metrics() const { return storage_ ? &storage_->counters() : nullptr; }
    // A sentence about what the data folder kept; empty without one.
    const std::string& restored() const { return restored_; }
    // When start() was called, in seconds since 1970.
    std::int64_t started_s() const { return started_s_; }
    // `answered` is called on some shard's thread when every loop has had a turn. From any thread.
    void ask_loops(std::function<void()> answered);
    // When the certificate in use ends, in seconds since 1970; 0 without TLS.
    std::int64_t certificate_expires_s() const { return certificate_expires_s_; }
    bool has_tls() const { return !settings_.tls_certificate.empty(); }
    std::span<observer_port* const> observers() const override { return observers_; }
    const canned_answers& canned() const override { return welcome_.canned; }
    std::unique_ptr<conversation> first_conversation(connection& owner, shard& home) override;

    bool admit_connection() override;
    bool admit_spare_connection() override;
    void release_connection() override { --connections_; }
    void shard_quiet() override { quiet_.arrive(); }
    void shard_drained() override { drained_.arrive(); }
    std::uint32_t connections_max() const { return connections_max_; }
    std::uint64_t waiting_bytes_max() const override { return waiting_bytes_max_; }

private:
    hub::config hub_config(hub::shard_index index) const;
    // With what the server has in mind for options that are not set.
    void take_namespaces(hub::config& into, const config& from) const;
    cluster::replica_options replica_options(const hub::config& of_hub) const;
    void revoke_here(hub::revoke&& what, std::function<void(bool kept)> done);
    void tell_own_sessions(const cluster::order& what);
    void tell_nodes(const cluster::order& what);
    std::vector<const schema::types*> all_types() const;
    void restore(log_store::contents&& kept);
    void run_storage();
    void settle(shard& s);

    config settings_;
    std::vector<observer_port*> observers_;
    welcome welcome_;
    hub::shard_index shard_count_;
    std::atomic<std::uint32_t> connections_max_;
    std::uint64_t waiting_bytes_max_;
    mail_load mail_;
    hash_key secret_;                                           // hub::config::secret
    hub::config owners_;                                        // as the hubs have it: who owns which channel
    std::function<void(cluster::to_broker&&)> post_to_broker_;  // empty: without a broker
    broker_mail broker_mail_;
    std::vector<const feed_counters*> feeds_;
    forwarding forwards_;
    std::atomic<std::uint64_t> process_{0};
    std::atomic<std::uint32_t> shards_with_log_{0};
    std::atomic<bool> stands_back_{false};
    address_limits addresses_;
    refused_origins turned_away_;
    std::optional<audit_log> audit_;
    std::uint16_t port_ = 0;
    std::int64_t started_s_ = 0;
    std::optional<folder_lock> folder_;
    std::unique_ptr<log_store> log_;
    std::string restored_;
    std::vector<std::unique_ptr<shard>> shards_;
    std::unique_ptr<commit_thread> storage_;  // answers the shards
    std::vector<std::thread> threads_;
    std::atomic<std::int64_t> certificate_expires_s_{0};
    std::atomic<std::uint32_t> connections_{0};
    std::atomic<bool> announced_{false};
    countdown quiet_, drained_, settled_;
    // Since start(). Last, so that its thread ends before what it calls.
    std::unique_ptr<identity::authenticator> authenticator_;
};

}  // namespace pulsewire::shell
