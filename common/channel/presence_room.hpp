#pragma once

// The member that makes room in a full list, so that one address cannot keep others off it: the newest one of
// the source with the most, if that has more members than the new one would be of its own source. Members
// whose source is not known (0) neither make room nor get it.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string_view>

namespace pulsewire::hub {

class presence_room {
public:
    // A member of the list; `number` is greater than those of members that came before.
    void add(std::string_view session, std::uint64_t source, std::uint64_t number) {
        share& s = shares_[source];
        ++s.members;
        if (number >= s.newest) {
            s.newest = number;
            s.newest_session = session;
        }
    }
    // The session that leaves for a new member of the source; empty when nobody has to.
    std::string_view leaves_for(std::uint64_t source) {
        if (source == 0) return {};
        const std::size_t own = shares_[source].members;
        shares_.erase(0);
        const auto most = std::max_element(shares_.begin(), shares_.end(), [](const auto& a, const auto& b) {
            return a.second.members < b.second.members;
        });
        return most->second.members > own + 1 ? most->second.newest_session : std::string_view();
    }

private:
    struct share {
        std::size_t members = 0;
        std::uint64_t newest = 0;
        std::string_view newest_session;
    };
    std::map<std::uint64_t, share> shares_;
};

}  // namespace pulsewire::hub
