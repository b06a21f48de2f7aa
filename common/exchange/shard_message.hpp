#pragma once

// The values that a shard posts to another shard, and an observer to a shard. Posts between two shards keep
// their order (first in, first out); the order that clients see rests on this.

#include "common/exchange/to_channel.hpp"
#include "common/exchange/to_session.hpp"

#include <cstddef>
#include <variant>

namespace pulsewire::hub {

using shard_message = std::variant<channel_change, channel_read, to_session>;

// The bytes that the value takes while it waits for its shard. A text that several values share counts for
// each of them.
std::size_t memory_of(const shard_message& m);

}  // namespace pulsewire::hub
