#include "server/shard/fan_out.hpp"

#include <algorithm>

namespace pulsewire::shell {

bool fan_out::may_grow(const channel& c, const hub::message& m) const {
    // Event streams have texts of their own for what is no publication.
    const bool is_made = c.runs[static_cast<std::size_t>(outbound::framing::made)] != nullptr;
    if (is_made && m.kind != hub::message_kind::publication) return false;
    return std::all_of(c.runs.begin(), c.runs.end(), [&](const std::shared_ptr<line_run>& run) {
        return run == nullptr ||
               (!run->sealed() &&
                run->has_room(m.line.size(), bounds_.batch_bytes_max, bounds_.batch_messages_max));
    });
}

const std::vector<std::uint64_t>* fan_out::extend(const hub::message_ptr& m, std::uint64_t audience) {
    const auto found = channels_.find(m->channel);
    if (found == channels_.end()) return nullptr;
    channel& c = found->second;
    if (audience == 0 || c.audience != audience || !may_grow(c, *m)) return nullptr;
    for (const std::shared_ptr<line_run>& run : c.runs)
        if (run != nullptr) run->append(m);
    return &c.apart;
}

void fan_out::begin(const hub::message_ptr& m, std::uint64_t audience) {
    channels_.erase(m->channel);
    current_ = &channels_.try_emplace(m->channel).first->second;
    current_->first = m;
    current_->audience = audience;
}

}  // namespace pulsewire::shell
