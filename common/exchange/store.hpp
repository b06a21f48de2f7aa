#pragma once

// The operations by which the owner of durable channels keeps them on disk, and the values that it gets back
// at the next start. The shell carries out the operations of one hub in their order, several at once if it
// likes, and reports how far they are safe: hub::stored(), or hub::store_failed(). Until then a publication
// of a durable channel is not delivered, and its publisher gets no acknowledgement.

#include "common/exchange/message.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace pulsewire::hub {

// The disk may have this many publications more than memory before they are removed there: a removal for each
// publication would double the work.
inline constexpr std::uint64_t trim_batch = 256;

// The channel exists under this epoch and has had `head` publications so far.
// Replaces an earlier keep_channel.
struct keep_channel {
    std::string channel;
    std::string epoch;
    std::uint64_t head = 0;
};

// A publication, and the key of its publish (empty: none), which is remembered for limits::idempotency_ms.
struct keep_publication {
    message_ptr what;
    std::string epoch;
    std::string key;
    std::uint64_t content = 0;  // a hash of the content published with the key: idempotency_window::known
};

// Publications with smaller offsets are kept no longer.
struct trim_channel {
    std::string channel;
    std::uint64_t oldest = 0;
};

// Publications with greater offsets were never acknowledged or belong to an earlier epoch.
// They are void, and so are their keys.
struct truncate_channel {
    std::string channel;
    std::uint64_t head = 0;
};

// The channel is forgotten. `generation` is the generation of the hub from now on.
struct drop_channel {
    std::string channel;
    std::uint64_t generation = 0;
};

// Keys of publishes before this time (wall clock, milliseconds) are remembered no longer.
struct forget_keys {
    std::int64_t before_ms = 0;
};

struct store_op {
    std::uint64_t number = 0;  // counts up from 1 in each hub
    // Counts the failures of this hub's store. Once an operation has failed, later operations of the same
    // term must not be carried out, because they build on it.
    std::uint32_t term = 0;
    std::variant<keep_channel, keep_publication, trim_channel, truncate_channel, drop_channel, forget_keys>
        what;
};

// The epoch of a channel's log in a store: the same again after a restart, and another one when the channel
// was dropped in between. `store_id` is drawn when the store is made; `generation` is the greatest that a
// drop_channel of any hub ever had.
std::string durable_epoch(std::uint64_t store_id, std::uint64_t generation);

// A channel as the store kept it. The offsets of its publications have no
// holes, and the last of them is `head`.
struct restored_channel {
    std::string name;
    std::string epoch;
    std::uint64_t head = 0;
    std::vector<message_ptr> publications;
};

struct restored_key {
    std::string channel;
    std::string epoch;
    std::string key;
    std::uint64_t offset = 0;
    std::int64_t time_ms = 0;   // wall clock
    std::uint64_t content = 0;  // 0: written by a version that kept none
};

}  // namespace pulsewire::hub
