#include "common/channel/presence_list.hpp"

#include "common/channel/presence_room.hpp"

namespace pulsewire::hub {
bool presence_list::join(
    const std::string& session, std::uint64_t connection, const shown& as, std::size_t members_max,
    std::uint64_t source
) {
    auto found = members_.find(session);
    if (found == members_.end()) {
        if (members_.size() >= members_max) return false;
        members_.emplace(session, member{as, {connection}, 0, source, ++last_number_});
        return true;
    }
    member& m = found->second;
    // The session came back before its time to leave: nobody is notified.
    if (m.connections.empty()) --leaving_;
    m.connections.push_back(connection);
    if (m.as == as) return false;
    m.as = as;
    return true;
}

// Walks through the list, which is full, so that nothing has to be counted as long as it is not.
std::string presence_list::make_room(std::uint64_t source) {
    presence_room room;
    for (const auto& [session, m] : members_) room.add(session, m.source, m.number);
    const std::string session(room.leaves_for(source));
    if (session.empty()) return {};
    const auto gone = members_.find(session);
    if (gone->second.connections.empty()) --leaving_;
    members_.erase(gone);
    return session;
}

void presence_list::part(const std::string& session, std::uint64_t connection, std::int64_t leaves_at_ms) {
    auto found = members_.find(session);
    if (found == members_.end() || std::erase(found->second.connections, connection) == 0) return;
    if (!found->second.connections.empty()) return;
    found->second.leaves_at_ms = leaves_at_ms;
    ++leaving_;
}

std::vector<std::string> presence_list::take_left(std::int64_t now_ms, std::size_t most) {
    std::vector<std::string> left;
    for (auto m = members_.begin(); m != members_.end() && leaving_ > 0 && left.size() < most;) {
        if (!m->second.connections.empty() || m->second.leaves_at_ms > now_ms) {
            ++m;
            continue;
        }
        left.push_back(m->first);
        m = members_.erase(m);
        --leaving_;
    }
    return left;
}

std::uint64_t presence_list::connection_of(std::string_view session) const {
    const auto found = members_.find(session);
    return found == members_.end() || found->second.connections.empty() ? 0
                                                                        : found->second.connections.back();
}

members_page presence_list::page_after(std::string_view after, std::size_t bytes_max) const {
    members_page page(bytes_max);
    for (auto m = members_.upper_bound(after); m != members_.end() && page.add(m->first, m->second.as);) ++m;
    return page;
}

}  // namespace pulsewire::hub
