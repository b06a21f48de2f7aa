#pragma once

// A channel of the shared log that somebody on this node is subscribed to.

#include "common/cluster/channel_view.hpp"
#include "common/exchange/address.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace pulsewire::cluster {

struct watched_channel {
    std::string name;
    std::vector<hub::shard_index> shards;  // those with a subscription, in order of arrival
    // Up to where the subscribers were told everything.
    channel_epoch epoch;
    std::uint64_t offset = 0;
    // What subscribers know of the members while the copy does not serve; absent while it does.
    std::optional<std::map<std::string, shown_member>> members;
};

// The sessions that the channel lists; of one with several subscriptions, what the last of them shows.
inline std::map<std::string, shown_member> members_of(const shared_channel* c) {
    std::map<std::string, shown_member> all;
    if (c == nullptr) return all;
    for (const auto& [id, as] : c->members()) all.insert_or_assign(id.session, as);
    return all;
}

}  // namespace pulsewire::cluster
