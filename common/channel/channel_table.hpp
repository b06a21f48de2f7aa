#pragma once

// The channels that a shard owns: lookup, the epoch under which a channel begins,
// and the moment when it is forgotten.

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
    // Finds the channel or makes it, and counts it as used. May forget other channels: the least recently
    // used one of those that nobody uses makes room. Null when there are too many channels in use.
    channel* find_or_make(std::string_view name, instant now);
    // Takes a channel that the store kept; false when the channel exists already, or when its
    // namespace is no longer durable.
    bool restore(restored_channel&& kept, instant now);

    // To be called when the content of `c` has changed; `c` counts as used.
    void used(channel& c) { histories_.use(c); }
    // To be called when the content of `c` has changed.
    void changed(channel& c) { histories_.count(c); }
    // Makes room for `wanted` bytes as far as there are publications to give up. May forget channels.
    void shrink(std::uint64_t wanted = 0);
    // ... and says whether there is as much.
    bool make_room(std::uint64_t wanted) {
        shrink(wanted);
        return histories_.excess(wanted) == 0;
    }
    // Every channel takes the options of its namespace as they are now; the next sweep trims.
    void use_options();
    // Forgets a channel that is unused and never had a publication: its epoch can be computed again.
    void forget_if_empty(channel& c);
    // A sweep drops publications that are too old, and forgets channels that were unused for channel_idle_ms.
    // It looks through all channels, a part of them in each call, because a million would keep everybody
    // waiting. False when it has come to its end.
    void begin_sweep() { sweep_at_ = 0; }
    bool sweep_on(instant now);

    // The epoch under which a channel of that name begins. It stays the same as long as the channel has no
    // publication, so that nothing has to be kept for a channel that is only read.
    std::string epoch_for(std::string_view name) const;
    std::size_t size() const { return channels_.size(); }
    // The memory of all channels with their histories: limits::history_bytes_total_max.
    std::uint64_t bytes() const { return histories_.bytes(); }

private:
    void forget(channel& c);
    void forget_least_used();
    std::size_t bucket_of(std::string_view name) const;

    const config& config_;
    store_queue& stores_;
    channel_counters& counters_;
    std::unordered_map<std::string, std::unique_ptr<channel>, name_hash, std::equal_to<>> channels_;
    history_budget histories_;
    // The number of channels with publications that were forgotten, by hash of their name.
    std::vector<std::uint32_t> forgotten_;
    std::size_t sweep_at_ = 0;  // the next bucket of a sweep
};

}  // namespace pulsewire::hub
