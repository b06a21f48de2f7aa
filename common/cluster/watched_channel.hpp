#pragma once

// A channel of the shared log that somebody on this node is subscribed to.

#include "common/channel/snapshot_wish.hpp"
#include "common/cluster/channel_view.hpp"
#include "common/exchange/address.hpp"
#include "common/exchange/message.hpp"

#include <cstdint>
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pulsewire::cluster {

struct watched_channel {
    std::string name;
    std::vector<hub::shard_index> shards;  // those with a subscription, in order of arrival
    // Up to where the subscribers were told everything.
    channel_epoch epoch;
    std::uint64_t offset = 0;
    hub::snapshot_wish wish;
    // Presence as a new subscriber gets it, made once for all who come until it changes; empty: to be made.
    std::vector<hub::message_ptr> members_told;
    // What subscribers know of the members while the copy does not serve; absent while it does.
    std::optional<std::map<std::string, shown_member>> members;
};

// Calls `member(session, as)` for each session behind `after` that the channel lists, while it returns true;
// of a session with several subscriptions, with what the last of them shows.
template <class Member>
void each_member(const shared_channel* c, std::string_view after, Member&& member) {
    if (c == nullptr) return;
    const auto& all = c->members();
    for (auto m = all.lower_bound({std::string(after), 0, 0}); m != all.end(); ++m) {
        const auto next = std::next(m);
        if (m->first.session == after || (next != all.end() && next->first.session == m->first.session))
            continue;
        if (!member(m->first.session, m->second)) return;
    }
}

inline std::map<std::string, shown_member> members_of(const shared_channel* c) {
    std::map<std::string, shown_member> all;
    each_member(c, {}, [&](const std::string& session, const shown_member& as) {
        all.emplace_hint(all.end(), session, as);
        return true;
    });
    return all;
}

// The first page of the list, then a join for every other member, as for the channels of one node.
std::vector<hub::message_ptr> members_told_of(const std::string& channel, const shared_channel* c);

}  // namespace pulsewire::cluster
