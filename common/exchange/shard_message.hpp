#pragma once

// What one shard posts to another, and an observer to a shard. A value posted from one shard to another
// arrives after those posted there earlier (first in, first out); the order that clients see rests on this.

#include "common/exchange/to_channel.hpp"
#include "common/exchange/to_session.hpp"

#include <variant>

namespace pulsewire::hub {

using shard_message = std::variant<channel_change, channel_read, to_session>;

}  // namespace pulsewire::hub
