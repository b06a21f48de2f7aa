#pragma once

// A log as a stream of Redis: its key, its ids, and a record as one of its entries.

#include "common/cluster/broker_port.hpp"
#include "server/broker/redis/resp.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace pulsewire::shell::redis {

// The one field of an entry.
inline constexpr std::string_view record_field = "r";

// "pulsewire:{3}". A cluster hashes only what is in the braces; without one they do no harm.
std::string key_of(std::string_view prefix, cluster::partition_index partition);

// "1700000000000-0".
std::string id_of(cluster::mark at);
// {0, 0} when the text is no id.
cluster::mark mark_of(std::string_view id);
// XREAD begins after a position, the port at one: the largest before `at`, or {0, 0}.
cluster::mark position_before(cluster::mark at);

struct record_view {
    cluster::mark at;
    std::string_view bytes;  // valid as long as the reply
};
// Nothing when the entry was not made by an adapter.
std::optional<record_view> record_of(reply_view entry);

}  // namespace pulsewire::shell::redis
