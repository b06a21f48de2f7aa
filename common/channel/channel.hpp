#pragma once

// A channel as its owner shard sees it: the log, the members present, and the shards with subscribers.

#include "common/channel/channel_log.hpp"
#include "common/channel/keyed.hpp"
#include "common/channel/presence_list.hpp"
#include "common/channel/snapshot_wish.hpp"
#include "common/exchange/address.hpp"
#include "common/exchange/to_channel.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <vector>

namespace pulsewire::hub {

struct channel {
    channel(std::string name_, std::string epoch, const namespace_options& options_)
        : name(std::move(name_)), options(options_), log(std::move(epoch), options_) {}

    void add_shard(shard_index shard) {
        if (std::find(shards.begin(), shards.end(), shard) == shards.end()) shards.push_back(shard);
    }
    void remove_shard(shard_index shard) { std::erase(shards, shard); }

    // The `time` of what is published now. It never runs back in a channel, as the wall clock may:
    // history is searched by it.
    std::int64_t time_at(std::int64_t wall_ms) { return last_time_ms = std::max(last_time_ms, wall_ms); }

    // The publication has this offset from now on.
    void note_key(const publish_view& p, std::uint64_t offset) {
        if (keys != nullptr && !p.snapshot)
            keys->take(key_of(p.type, p.conflate), offset, takes_away(p.payload, p.binary));
    }

    // The channel has no subscriber and no member, and no publication is on its way to the disk.
    bool has_nobody() const { return shards.empty() && presence.empty() && unstored == 0; }
    // Moreover no publication is kept.
    bool unused() const { return has_nobody() && log.empty(); }
    // About the memory that the channel takes, without its presence list.
    std::uint64_t bytes() const { return bytes_of_name(name.size()) + log.bytes(); }
    static constexpr std::uint64_t bytes_of_name(std::size_t name_bytes) { return 640 + 2 * name_bytes; }

    std::string name;
    namespace_options options;
    channel_log log;
    presence_list presence;
    std::vector<message_ptr> members_told;  // presence as a new subscriber gets it; empty: to be made anew
    std::vector<shard_index> shards;        // those with at least one subscription, in order of arrival
    snapshot_wish wish;
    // --- keyed ones ---
    // With what is on its way to the disk; null until somebody asks for an offset, and after a failure.
    std::unique_ptr<key_index> keys;
    std::size_t parts_coming = 0;  // of a snapshot that the server makes, on their way to the disk

    std::int64_t last_time_ms = 0;  // of the newest publication
    std::int64_t used_ms = 0;       // monotonic time of the last publish or subscribe

    // --- of the history_budget ---
    std::uint64_t counted_bytes = 0;
    std::list<channel*>::iterator place_by_use;  // valid while budgeted
    bool budgeted = false;

    // --- durable ones ---
    bool durable() const { return options.keeps == durability::disk; }
    std::uint32_t unstored = 0;       // publications on their way to the disk, with the offsets after head()
    bool noted = false;               // the store knows the channel and its epoch
    bool truncate_first = true;       // the store may have publications after head(), which are void
    std::uint64_t stored_oldest = 1;  // the oldest publication that the store still has to keep
};

}  // namespace pulsewire::hub
