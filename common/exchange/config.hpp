#pragma once

// The settings of a hub, and its counters.

#include "common/base/keyed_hash.hpp"
#include "common/exchange/address.hpp"
#include "common/exchange/to_observer.hpp"
#include "common/protocol/limits.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace pulsewire::hub {

struct config {
    limits bounds;
    namespace_options default_namespace;
    // By name, which is the part of a channel before its first ':' (a channel without ':' belongs to "").
    std::unordered_map<std::string, namespace_options> namespaces;
    shard_index shard = 0;
    shard_index shard_count = 1;
    // Sent to clients in `welcome`, e.g. "pulsewire/0.1.0".
    std::string server_name = "pulsewire";
    // The address to which drain() and hand_over() send clients; empty: the one they came from.
    std::string drain_url;
    // 64 random bits: a source of epochs. Two lives of a node must not share it.
    std::uint64_t seed = 0;
    // Hashes the names that outsiders choose, and the content that they publish under a key. It is the same
    // on all shards of a node and, where there is a store, in every life of the node.
    hash_key secret;
    // The source of the epochs of durable channels: see durable_epoch().
    std::uint64_t store_id = 0;
    std::uint64_t store_generation = 0;
    // Of the shared log, by which the channels of namespaces with durability::broker are spread; 0: there is
    // none. The same on all nodes.
    std::uint32_t partitions = 0;
    // Whether tokens can be verified: otherwise a client that shows one is sent away, because it must not be
    // anonymous without knowing.
    bool verifies_tokens = false;
    // Whether clients without a token are let in.
    bool anonymous = true;
    // The channels whose news the shell is told (news.hpp), as patterns.
    std::vector<std::string> forwards;
    // The observers of what clients do, each with its interests.
    std::vector<interests> observers;

    const namespace_options& options_of(std::string_view channel) const;
    // Hashes the content that is published with a key. Nodes of one log must hash alike; that outsiders could
    // find two contents with one hash harms nobody but them.
    hash_key content_key(std::string_view channel) const { return is_shared(channel) ? hash_key{} : secret; }
    // Not the channels in which forwards keep their own places.
    bool is_forwarded(std::string_view channel) const;
    // Whether the channel is one of the shared log.
    bool is_shared(std::string_view channel) const {
        return partitions != 0 && options_of(channel).keeps == durability::broker;
    }
};

// Begins the last segment of the name of a channel in which a forward keeps its place in the shared log.
inline constexpr std::string_view forward_place_prefix = "pulsewire-forward-";

// Copies what of a namespace can change while the server runs. The rest is what its channels are made of, or
// belongs to somebody who read it at the start: types, authorize, durability, state_bytes_max, keyed.
void take_changeable(namespace_options& into, const namespace_options& fresh);

// The partition of a channel of the shared log. All nodes must agree on it before they have read anything, so
// it is keyed with no secret: who chooses names can fill one partition, and no table.
inline std::uint32_t partition_of(std::string_view channel, std::uint32_t partitions) {
    return static_cast<std::uint32_t>(keyed_hash(hash_key{}, channel) % partitions);
}

// The shard that owns a channel's log. Keyed, so that an outsider cannot choose
// names that all belong to one shard.
inline shard_index owner_of(std::string_view channel, shard_index shard_count, const hash_key& secret) {
    if (shard_count == 1) return 0;
    return static_cast<shard_index>(keyed_hash(secret, channel) % shard_count);
}

// Of a channel in any namespace. The partitions of the shared log are dealt out among the shards.
inline shard_index owner_of(std::string_view channel, const config& c) {
    if (c.is_shared(channel))
        return static_cast<shard_index>(partition_of(channel, c.partitions) % c.shard_count);
    return owner_of(channel, c.shard_count, c.secret);
}

// Counted by the sessions since the hub was made.
struct session_counters {
    std::uint64_t commands = 0;    // frames received from clients
    std::uint64_t deliveries = 0;  // messages handed to connections of this shard
    std::uint64_t errors = 0;      // error answers
};

// Counted by the owner of channels since the hub was made.
struct channel_counters {
    std::uint64_t publications = 0;       // given a place in the order by this shard
    std::uint64_t duplicates = 0;         // publishes answered from the idempotency window
    std::uint64_t unstored = 0;           // publishes refused because the store failed
    std::uint64_t keys_reused = 0;        // publishes refused because their key stands for another content
    std::uint64_t histories_shrunk = 0;   // times that a channel gave up publications for the total bound
    std::uint64_t recoveries = 0;         // subscribes with a position that recovered
    std::uint64_t failed_recoveries = 0;  // ... that did not

    void add(const channel_counters& other) {
        publications += other.publications;
        duplicates += other.duplicates;
        unstored += other.unstored;
        keys_reused += other.keys_reused;
        histories_shrunk += other.histories_shrunk;
        recoveries += other.recoveries;
        failed_recoveries += other.failed_recoveries;
    }
};

struct counters : session_counters, channel_counters {};

}  // namespace pulsewire::hub
