#pragma once

// Several servers without sockets for tests: nodes with a hub and the shared log's channels on each shard,
// over a broker in memory that does what it is told. Time goes in steps of 50 ms.

#include "common/cluster/broker_model.hpp"
#include "common/cluster/log_channels.hpp"
#include "common/hub/hub.hpp"

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace pulsewire::hub {

class test_cluster {
public:
    struct client {
        std::size_t node = 0;
        shard_index shard = 0;
        std::uint64_t connection = 0;
    };
    using lines = std::vector<std::string>;
    static constexpr std::uint32_t partitions = 4;

    config settings;

    explicit test_cluster(
        std::size_t nodes, shard_index shards = 1, cluster::broker_options broker = {}, config c = {}
    )
        : settings(std::move(c)), shards_(shards), nodes_(nodes) {
        for (std::uint32_t p = 0; p < partitions; ++p) {
            broker.partition = p;
            broker.seed = p + 1;
            brokers_.push_back(std::make_unique<cluster::broker_model>(broker));
        }
        for (std::size_t n = 0; n < nodes; ++n) start(n);
    }

    // The node begins another life; what it had is gone.
    void start(std::size_t n) {
        for (const auto& b : brokers_) {
            b->disconnect(number(n), "restarted");
            (void)b->take(number(n), 0, now_ms_);
        }
        nodes_[n] = {};
        for (shard_index s = 0; s < shards_; ++s) {
            config c = settings;
            c.default_namespace.keeps = durability::broker;
            c.partitions = partitions;
            c.shard = s;
            c.shard_count = shards_;
            c.seed = ++last_seed_;
            c.secret = {n + 3, 9};  // nodes draw different ones
            auto& made = nodes_[n].shards.emplace_back();
            made.sessions = std::make_unique<hub>(c);
            cluster::replica_options o;
            o.seed = ++last_seed_;
            o.local = c.secret;
            const auto history_of = [](const namespace_options& n) {
                return cluster::history_options{
                    n.history_count_max, n.history_bytes_max, n.history_age_ms, n.state_bytes_max, n.keyed};
            };
            o.shared.default_namespace = history_of(settings.default_namespace);
            for (const auto& [name, n] : settings.namespaces) o.shared.namespaces[name] = history_of(n);
            if (const std::uint64_t all = settings.bounds.history_bytes_total_max; all != 0)
                o.shared.history_bytes_total_max = all;
            made.log = std::make_unique<cluster::log_channels>(
                made.sessions->settings(), o, made.sessions->port_to_sessions()
            );
            made.sessions->use_log(*made.log);
        }
    }
    // It is gone without a word.
    void kill(std::size_t n) { nodes_[n] = {}; }

    client connect(std::size_t node, const std::string& session, shard_index shard = 0) {
        const client c{node, shard, ++last_connection_};
        at(c).open(c.connection, face::protocol, {}, {}, now());
        say(c, R"({"op":"connect","version":1,"session":")" + session + R"("})");
        heard(c);
        return c;
    }
    void say(const client& c, std::string_view line) {
        at(c).receive(c.connection, line, now());
        carry_out(c.node);
    }
    void close(const client& c) {
        at(c).closed(c.connection, now());
        carry_out(c.node);
    }
    // What it was sent since the last call.
    lines heard(const client& c) { return std::exchange(sent_[{c.node, c.shard, c.connection}], {}); }
    // ... without what waits to be called by `run` being late: time passes first.
    lines heard_after(const client& c, std::int64_t ms) {
        run(ms);
        return heard(c);
    }

    void run(std::int64_t ms) {
        for (const std::int64_t until = now_ms_ + ms; now_ms_ < until;) {
            now_ms_ += 50;
            for (std::size_t n = 0; n < nodes_.size(); ++n) {
                for (std::uint32_t p = 0; p < partitions; ++p) {
                    brokers_[p]->advance(now_ms_);
                    if (nodes_[n].shards.empty() || nodes_[n].deaf) continue;
                    for (const cluster::from_broker& what : brokers_[p]->take(number(n), 1'000, now_ms_)) {
                        nodes_[n].shards[p % shards_].log->on(what, now());
                        carry_out(n);
                    }
                }
                for (shard_of_node& s : nodes_[n].shards) {
                    s.log->tick(now());
                    if (now_ms_ % 1'000 == 0) s.sessions->tick(now());
                }
                carry_out(n);
            }
        }
    }
    cluster::broker_model& broker_of(std::string_view channel) {
        return *brokers_[partition_of(channel, partitions)];
    }
    void each_broker(const auto& call) {
        for (const auto& b : brokers_) call(*b);
    }
    cluster::log_channels& log(std::size_t node, shard_index shard = 0) {
        return *nodes_[node].shards[shard].log;
    }
    void carry_out(std::size_t n) {
        bool more = true;
        while (more) {
            more = false;
            for (shard_index s = 0; s < nodes_[n].shards.size(); ++s) {
                shard_of_node& shard = nodes_[n].shards[s];
                output out;
                out.swap(shard.sessions->out());
                for (const output::send& sent : out.sends)
                    for (const std::uint64_t c : out.to(sent))
                        sent_[{n, s, c}].emplace_back(
                            sent.what->line, 0, sent.what->line.size() - (sent.what->binary ? 0 : 1)
                        );
                for (output::post& p : out.posts) {
                    nodes_[n].shards[p.to].sessions->receive(std::move(p.what), now());
                    more = true;
                }
                for (const cluster::to_broker& what : std::exchange(shard.log->out().broker, {}))
                    brokers_[what.partition]->on(number(n), what, now_ms_);
                for (cluster::order& o : std::exchange(shard.log->out().orders, {}))
                    orders[n].push_back(std::move(o));
            }
        }
    }
    // Nothing of the broker reaches the node.
    void deafen(std::size_t n, bool is_deaf) { nodes_[n].deaf = is_deaf; }
    instant now() const { return {now_ms_, 1'800'000'000'000 + now_ms_}; }

    std::map<std::size_t, std::vector<cluster::order>> orders;  // that nodes were given by others

private:
    struct shard_of_node {
        std::unique_ptr<hub> sessions;
        std::unique_ptr<cluster::log_channels> log;
    };
    struct node {
        std::vector<shard_of_node> shards;
        bool deaf = false;
    };

    static cluster::node_number number(std::size_t n) { return static_cast<cluster::node_number>(n); }
    hub& at(const client& c) { return *nodes_[c.node].shards[c.shard].sessions; }

    shard_index shards_;
    std::vector<std::unique_ptr<cluster::broker_model>> brokers_;
    std::vector<node> nodes_;
    std::map<std::tuple<std::size_t, shard_index, std::uint64_t>, lines> sent_;
    std::int64_t now_ms_ = 0;
    std::uint64_t last_connection_ = 0, last_seed_ = 0;
};

}  // namespace pulsewire::hub
