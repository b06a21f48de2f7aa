#pragma once

// Who is in one channel (docs/protocol.md 4.6, 4.7).

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace pulsewire::hub {

class presence_list {
public:
    // A connection of the session came; `connection` is unique in the node. True when the others should hear
    // of it: the session is new, or shows a new info. Where there is no room, nothing happens.
    bool join(
        const std::string& session, std::uint64_t connection, std::string_view info, std::size_t members_max
    );
    // That connection went. The session leaves at `leaves_at_ms` unless another one comes before.
    void part(const std::string& session, std::uint64_t connection, std::int64_t leaves_at_ms);
    // Removes and returns those whose time to leave has come.
    std::vector<std::string> take_left(std::int64_t now_ms);

    // The newest connection of the session; 0: it has none here.
    std::uint64_t connection_of(std::string_view session) const;

    bool empty() const { return members_.empty(); }
    // Whether somebody is about to leave.
    bool leaving() const { return leaving_ > 0; }
    // [{"session":…,"info":…},…], by session.
    std::string json() const;

private:
    struct member {
        std::string info;
        // Named, not counted: one that found no room must not be missed when it goes.
        std::vector<std::uint64_t> connections;
        std::int64_t leaves_at_ms = 0;
    };

    // Ordered, so that what is told about it is the same in every run.
    std::map<std::string, member, std::less<>> members_;
    std::size_t leaving_ = 0;
};

}  // namespace pulsewire::hub
