#pragma once

// The options that decide what an operation on a channel does. All nodes must have the same, so they come
// from the log and not from a node's configuration: the first node writes what it has, and a node whose
// configuration says something else does not join.

#include "common/base/keyed_hash.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace pulsewire::cluster {

// The namespaces that may be named; beyond: the options are not read.
inline constexpr std::size_t namespaces_max = 4096;

// Of one namespace, as in namespace_options.
struct history_options {
    std::uint32_t history_count_max = 300;
    std::uint32_t history_bytes_max = 1 << 20;
    std::uint32_t history_age_ms = 10 * 60'000;
    std::uint32_t state_bytes_max = 0;
    bool keyed = false;
    friend bool operator==(const history_options&, const history_options&) = default;
};

struct shared_options {
    history_options default_namespace;
    std::map<std::string, history_options, std::less<>> namespaces;
    // The time for which a publish key is remembered, and their number in a partition; beyond: the oldest
    // keys of the publisher with the most are forgotten. A publish that reaches the log later than a third of
    // this time after its acceptance is refused.
    std::uint32_t idempotency_ms = 5 * 60'000;
    std::uint32_t idempotency_keys_max = 100'000;
    // The histories of a partition's channels with the channels themselves, in bytes; beyond: the channel
    // that was used least recently gives up its oldest publications.
    std::uint64_t history_bytes_total_max = 256u << 20;
    // The channels of a partition; beyond: a publish to another one, or a join, is refused.
    std::uint32_t channels_max = 1'000'000;
    // A channel without members and publishes for so long is forgotten. Never before its keys are.
    std::uint32_t channel_idle_ms = 60 * 60'000;
    // The sessions that a channel lists in presence; beyond: a new one is listed if another has to make room
    // for it (presence_room).
    std::uint32_t presence_members_max = 1'000;
    // Drawn by the node that wrote the options. Hashes keys, contents and names alike on all nodes.
    hash_key secret;

    const history_options& of(std::string_view channel) const;
    // A late publish has no effect (its key may be forgotten already).
    std::int64_t publish_age_max_ms() const { return idempotency_ms / 3; }
    // Whether a node with `other` in its configuration may join. The secret is nobody's configuration.
    bool agrees_with(const shared_options& other) const;
};

std::string encode(const shared_options& o);
// Nothing when the bytes are not options.
std::optional<shared_options> decode_options(std::string_view bytes);

}  // namespace pulsewire::cluster
