#pragma once

// The members that this node's subscriptions list in presence, and how the log is brought to list the same.

#include "common/cluster/command_queue.hpp"
#include "common/cluster/record.hpp"
#include "common/cluster/shared_channels.hpp"

#include <compare>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace pulsewire::cluster {

class own_members {
public:
    void join(const join_op& j) { members_[key_of(j)] = encode(operation(j)); }
    void part(const part_op& p) { members_.erase({std::string(p.channel), std::string(p.session), p.token}); }

    // The operations after which `channels` lists for the process `self` what this node has: joins that are
    // missing there, parts of those that are gone here.
    std::vector<std::string> differences(const shared_channels& channels, process_id self) const;

private:
    struct key {
        std::string channel;
        std::string session;
        std::uint64_t token = 0;
        friend std::strong_ordering operator<=>(const key&, const key&) = default;
    };
    static key key_of(const join_op& j) { return {std::string(j.channel), std::string(j.session), j.token}; }

    std::map<key, std::string> members_;  // with the bytes of their joins
};

}  // namespace pulsewire::cluster
