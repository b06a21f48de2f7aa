#include "common/cluster/watched_channel.hpp"

#include "common/channel/members_page.hpp"

namespace pulsewire::cluster {

std::vector<hub::message_ptr> members_told_of(const std::string& channel, const shared_channel* c) {
    hub::members_page page(presence_page_bytes_max);
    std::vector<hub::message_ptr> told(1);
    each_member(c, {}, [&](const std::string& session, const shown_member& m) {
        const hub::shown as{m.info, m.user, m.user_info};
        if (page.more() || !page.add(session, as)) told.push_back(hub::make_join(channel, session, as));
        return true;
    });
    told.front() = hub::make_members(0, channel, page.json());
    return told;
}

}  // namespace pulsewire::cluster
