#include "common/cluster/own_members.hpp"

#include <utility>

namespace pulsewire::cluster {

std::vector<std::string> own_members::differences(const shared_channels& channels, process_id self) const {
    std::vector<std::string> operations;
    channels.each([&](const shared_channel& c) {
        for (const auto& [id, as] : c.members())
            if (id.process == self && !members_.contains({c.name(), id.session, id.token}))
                operations.push_back(encode(operation(part_op{c.name(), id.session, id.token})));
    });
    for (const auto& [key, bytes] : members_) {
        const shared_channel* const c = channels.find(key.channel);
        const auto j = decode_operation(bytes);
        if (!j) continue;
        const join_op& op = std::get<join_op>(*j);
        if (c != nullptr) {
            const auto listed = c->members().find({key.session, self, key.token});
            if (listed != c->members().end() &&
                listed->second ==
                    shown_member{std::string(op.info), std::string(op.user), std::string(op.user_info)})
                continue;
        }
        operations.push_back(bytes);
    }
    return operations;
}

}  // namespace pulsewire::cluster
