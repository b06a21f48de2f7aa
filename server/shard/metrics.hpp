#pragma once

// What one shard counts. Plain numbers, written by the shard's thread alone; /metrics asks each shard for a
// copy.

#include "common/cluster/log_partition.hpp"
#include "common/hub/hub.hpp"
#include "server/base/duration_histogram.hpp"
#include "server/shard/conversation.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string_view>
#include <vector>

namespace pulsewire::shell {

// Why a client was turned away, in the order of the labels of pulsewire_refused_total.
enum class refused_for : std::uint8_t { host, origin, key, connections, connects, requests, token, load };
inline constexpr std::string_view refusal_names[] = {"host",     "origin",   "key",   "connections",
                                                     "connects", "requests", "token", "load"};

struct shard_metrics {
    std::array<std::uint64_t, transport_count> open{};                  // connections now
    std::array<std::uint64_t, transport_count> accepted{};              // since the start
    std::uint64_t refused = 0;                                          // beyond connections_max
    std::array<std::uint64_t, std::size(refusal_names)> turned_away{};  // by refused_for
    std::uint64_t accept_errors = 0;
    std::array<std::uint64_t, 2> tls_handshakes{};  // that came to their end: full ones, resumed ones
    std::uint64_t tls_handshake_errors = 0;
    std::uint64_t bytes_in = 0;
    std::uint64_t bytes_out = 0;
    std::array<std::uint64_t, 6> responses{};  // HTTP, by the first digit of the status
    std::array<std::uint64_t, 48> errors{};    // error answers, by error_code
    std::uint64_t slow_closes = 0;             // connections closed with slow_consumer
    std::uint64_t queue_drops = 0;             // messages that were dropped with them
    // Publications that left a slow connection's queue, by slow_consumer; without those of queue_drops.
    std::array<std::uint64_t, 3> publication_drops{};
    std::uint64_t waiting_cuts = 0;  // ... because of waiting_bytes_total_max
    std::uint64_t write_timeouts = 0;
    std::uint64_t exceptions = 0;  // caught at the boundary of a connection or of the loop
    duration_histogram publish;    // HTTP API: from the request to its answer
    duration_histogram delivery;   // per turn of the loop: from the oldest publication's order to its write
    duration_histogram loop_lag;   // of the timer of the sweeps: how long whatever is due waits for its turn
    bool refuses_clients = false;  // because the loop is late
    // Copied from the hub when a copy is made.
    hub::counters hub;
    std::uint64_t sessions = 0;
    std::uint64_t subscriptions = 0;
    std::uint64_t channels = 0;
    std::uint64_t history_bytes = 0;
    std::uint64_t waiting_bytes = 0;
    std::vector<cluster::partition_facts> partitions;  // of the shared log, that this shard owns

    void opened(transport t) {
        ++open[static_cast<std::size_t>(t)];
        ++accepted[static_cast<std::size_t>(t)];
    }
    void changed(transport from, transport to) {
        --open[static_cast<std::size_t>(from)];
        opened(to);
    }
    void closed(transport t) { --open[static_cast<std::size_t>(t)]; }
};

}  // namespace pulsewire::shell
