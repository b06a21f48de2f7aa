#pragma once

// A channel as its owner shard sees it: the log, who is there, and which shards have subscribers.

#include "common/hub/channel_log.hpp"
#include "common/hub/presence_list.hpp"
#include "common/hub/shard_message.hpp"

#include <algorithm>
#include <cstdint>
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

    std::string name;
    namespace_options options;
    channel_log log;
    presence_list presence;
    std::vector<shard_index> shards;  // those with at least one subscription, in the order in which they came
    std::int64_t used_ms = 0;         // monotonic time of the last publish or subscribe

    // --- durable ones ---
    bool durable() const { return options.keeps == durability::disk; }
    std::uint32_t unstored = 0;       // publications on their way to the disk, with the offsets after head()
    bool noted = false;               // the store knows the channel and its epoch
    bool truncate_first = true;       // the store may have publications after head(), which are void
    std::uint64_t stored_oldest = 1;  // the oldest publication that the store still has to keep
};

}  // namespace pulsewire::hub
