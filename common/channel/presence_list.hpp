#pragma once

// The members of one channel (docs/protocol.md 4.6, 4.7).

#include "common/channel/members_page.hpp"
#include "common/exchange/to_channel.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace pulsewire::hub {

class presence_list {
public:
    // A connection of the session joined; `connection` is unique in the node, and `source` says from where it
    // came (session::source). True when the other members should be notified: the session is new, or it shows
    // something else. When the list is full, a new session is not listed.
    bool join(
        const std::string& session, std::uint64_t connection, const shown& as, std::size_t members_max,
        std::uint64_t source = 0
    );
    // Whether a join of the session would find no room.
    bool is_full_for(const std::string& session, std::size_t members_max) const {
        return members_.size() >= members_max && !members_.contains(session);
    }
    // Takes a member off the list for a new one of the source, as presence_room chooses. Returns its session;
    // empty when nobody has to make room.
    std::string make_room(std::uint64_t source);
    // The connection left. Without another one by then, the session leaves at `leaves_at_ms`.
    void part(const std::string& session, std::uint64_t connection, std::int64_t leaves_at_ms);
    // Removes and returns the sessions whose time to leave has come.
    std::vector<std::string> take_left(std::int64_t now_ms, std::size_t most = SIZE_MAX);

    // The newest connection of the session; 0 when it has none.
    std::uint64_t connection_of(std::string_view session) const;

    bool empty() const { return members_.empty(); }
    // Whether a session is about to leave.
    bool leaving() const { return leaving_ > 0; }
    // The members behind `after`, by session, as many as fit into `bytes_max` and at least one.
    members_page page_after(std::string_view after, std::size_t bytes_max) const;
    // Calls `member(session, as)` for each member behind `after`.
    template <class Member>
    void each_after(std::string_view after, Member&& member) const {
        for (auto m = members_.upper_bound(after); m != members_.end(); ++m) member(m->first, m->second.as);
    }

private:
    struct member {
        shown as;
        // Listed and not counted, because a connection that found no room must
        // not be subtracted when it leaves.
        std::vector<std::uint64_t> connections;
        std::int64_t leaves_at_ms = 0;
        std::uint64_t source = 0;
        std::uint64_t number = 0;  // in the order of joining
    };

    // Ordered, so that every run sends the same lists and events.
    std::map<std::string, member, std::less<>> members_;
    std::size_t leaving_ = 0;
    std::uint64_t last_number_ = 0;
};

}  // namespace pulsewire::hub
