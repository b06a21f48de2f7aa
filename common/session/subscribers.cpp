#include "common/session/subscribers.hpp"

namespace pulsewire::hub {

subscription& subscriber_table::add(session& owner, std::string_view channel) {
    local_channel* where = find(channel);
    if (where == nullptr) {
        auto made = std::make_unique<local_channel>();
        made->name = channel;
        where = made.get();
        channels_.emplace(made->name, std::move(made));
    }
    auto s = std::make_unique<subscription>();
    s->owner = &owner;
    s->where = where;
    s->at_channel = static_cast<std::uint32_t>(where->subscribers.size());
    s->at_session = static_cast<std::uint32_t>(owner.subscriptions.size());
    owner.subscriptions.push_back(s.get());
    where->subscribers.push_back({std::move(s), owner.connection, false, false});
    ++size_;
    return *where->subscribers.back().what;
}

void subscriber_table::set_live(const subscription& s) {
    entry_of(s).live = true;
    s.where->audience = new_audience();
}

bool subscriber_table::remove(subscription& s) {
    // In both lists the last entry takes the place of the removed one, so that removing costs
    // the same however long they are.
    auto& of_session = s.owner->subscriptions;
    of_session[s.at_session] = of_session.back();
    of_session[s.at_session]->at_session = s.at_session;
    of_session.pop_back();

    local_channel& where = *s.where;
    const std::uint32_t at = s.at_channel;
    std::swap(where.subscribers[at], where.subscribers.back());
    where.subscribers[at].what->at_channel = at;
    where.subscribers.pop_back();
    where.audience = new_audience();
    --size_;
    if (!where.subscribers.empty()) return false;
    channels_.erase(channels_.find(where.name));
    return true;
}

subscription* subscriber_table::find(const session& owner, std::string_view channel) {
    local_channel* where = find(channel);
    if (where == nullptr) return nullptr;
    // A session has few channels and a popular channel has many subscribers, or the other way round.
    if (owner.subscriptions.size() < where->subscribers.size()) {
        for (subscription* s : owner.subscriptions)
            if (s->where == where) return s;
        return nullptr;
    }
    for (const auto& s : where->subscribers)
        if (s.what->owner == &owner) return s.what.get();
    return nullptr;
}

subscription* subscriber_table::with_token(const local_channel& where, std::uint64_t token) {
    for (const subscriber& s : where.subscribers)
        if (s.what->token == token) return s.what.get();
    return nullptr;
}

local_channel* subscriber_table::find(std::string_view channel) {
    const auto found = channels_.find(channel);
    return found == channels_.end() ? nullptr : found->second.get();
}

}  // namespace pulsewire::hub
