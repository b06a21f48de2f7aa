#pragma once

// The channels that a shard owns: which there are, under which epoch one begins, and when one is forgotten.

#include "common/channel/channel.hpp"
#include "common/channel/history_budget.hpp"
#include "common/channel/store_queue.hpp"
#include "common/exchange/config.hpp"
#include "common/exchange/instant.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace pulsewire::hub {

class channel_table {
public:
    // All outlive it.
    channel_table(const config& settings, store_queue& stores, channel_counters& counted);

    // Null when there is none.
    channel* find(std::string_view name);
    // The channel, made where there is none; it counts as used. Null when there are too many. May forget
    // other channels.
    channel* find_or_make(std::string_view name, instant now);
    // What the store kept; false when the channel exists, or its namespace is durable no longer.
    bool restore(restored_channel&& kept, instant now);

    // What `c` holds has changed, and it counts as used.
    void used(channel& c) { histories_.use(c); }
    // What `c` holds has changed.
    void changed(channel& c) { histories_.count(c); }
    // Makes room for `wanted` bytes, as far as there are publications to give up. May forget channels.
    void shrink(std::uint64_t wanted = 0);
    // Forgets a channel that nobody uses and that never had a publication: it need not be kept for its epoch.
    void forget_if_empty(channel& c);
    // Drops what is too old, and forgets the channels that were unused for long. Looks through all.
    void sweep(instant now);

    // The epoch under which a channel of that name begins: the same as long as it has no publication, so that
    // nothing has to be kept for one that is only read.
    std::string epoch_for(std::string_view name) const;
    std::size_t size() const { return channels_.size(); }
    // Of all channels with their histories: limits::history_bytes_total_max.
    std::uint64_t bytes() const { return histories_.bytes(); }

private:
    void forget(channel& c);
    std::size_t bucket_of(std::string_view name) const;

    const config& config_;
    store_queue& stores_;
    channel_counters& counters_;
    std::unordered_map<std::string, std::unique_ptr<channel>, name_hash, std::equal_to<>> channels_;
    history_budget histories_;
    std::vector<std::uint32_t> forgotten_;  // how many channels with publications, by hash of their name
};

}  // namespace pulsewire::hub
