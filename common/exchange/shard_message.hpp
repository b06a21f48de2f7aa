#pragma once

// The values that a shard posts to another shard, and an observer to a shard. Posts between two shards keep
// their order (first in, first out); the order that clients see rests on this.

#include "common/exchange/to_channel.hpp"
#include "common/exchange/to_session.hpp"

#include <variant>

namespace pulsewire::hub {

using shard_message = std::variant<channel_change, channel_read, to_session>;

}  // namespace pulsewire::hub
