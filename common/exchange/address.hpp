#pragma once

// The names under which the parts of a node find each other.

#include <cstdint>

namespace pulsewire::hub {

using shard_index = std::uint16_t;

// A connection, anywhere in the node; the shell chooses `value` freely, unique for the life of the process.
struct connection_ref {
    shard_index shard = 0;
    std::uint64_t value = 0;
    friend bool operator==(const connection_ref&, const connection_ref&) = default;
};

// The `value` of a connection of another node, which only the owner of a partition gives (see
// common/cluster/log_partition.hpp). The shell's values stay below it.
inline constexpr std::uint64_t foreign_connection = std::uint64_t{1} << 63;
constexpr bool is_foreign(const connection_ref& who) {
    return (who.value & foreign_connection) != 0;
}

// A subscription's name in the whole node. Tokens count up from 1 on each shard and stay far below 2^48.
constexpr std::uint64_t node_wide(shard_index shard, std::uint64_t token) {
    return std::uint64_t{shard} << 48 | token;
}
constexpr shard_index shard_of(std::uint64_t node_wide) {
    return static_cast<shard_index>(node_wide >> 48);
}
constexpr std::uint64_t token_of(std::uint64_t node_wide) {
    return node_wide & ((std::uint64_t{1} << 48) - 1);
}

}  // namespace pulsewire::hub
