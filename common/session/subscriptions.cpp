#include "common/session/subscriptions.hpp"

#include "common/session/credit.hpp"
#include "common/session/guard.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace pulsewire::hub {
namespace {

// Raw text does not go back to its sender, which could not distinguish it from the text
// of others (docs/protocol.md 10.1).
bool is_own_text(const session& s, const message& m) {
    return s.speaks == face::plain_websocket && m.except() == s.name;
}

shown shown_of(const session& s, std::string_view info) {
    const access::principal* who = s.who();
    if (who == nullptr) return {std::string(info), {}, {}};
    return {std::string(info), who->user, who->info};
}

}  // namespace

void subscriptions::on_subscribe(session& s, const command& c, instant now) {
    if (table_.find(s, c.channel) != nullptr)
        return answers_.error(
            s, c.id, error_code::already_subscribed, "already subscribed to this channel", now
        );
    if (s.subscriptions.size() >= config_.bounds.channels_per_connection_max)
        return answers_.error(
            s, c.id, error_code::too_many_channels, "too many subscriptions on this connection", now
        );

    // Added before the owner answers, so that a second subscribe of this channel is refused at once.
    subscription& sub = table_.add(s, c.channel);
    sub.token = ++last_token_;
    sub.id = c.id;
    subscriber_table::entry_of(sub).wants_presence = c.presence;
    subscriber_table::entry_of(sub).wants_state = c.state;
    sub.listed = !c.payload.empty();
    const std::uint64_t token = sub.token;
    const std::string channel(c.channel);

    // The join goes before the attach, so that the list of members sent to a new member contains itself.
    if (sub.listed)
        channels_.change(join{config_.shard, token, channel, s.name, shown_of(s, c.payload), s.source}, now);

    attach a;
    a.from = {config_.shard, s.connection};
    a.id = c.id;
    a.token = token;
    a.channel = channel;
    if (!c.epoch.empty() && c.has_offset) a.seen = position{std::string(c.epoch), c.offset};
    if (a.seen)
        a.reads_history = permitted(s, c.channel, config_.options_of(c.channel)).has(operation::history);
    a.latest = static_cast<std::uint32_t>(std::min<std::uint64_t>(c.latest, config_.bounds.recovery_max));
    a.wants_presence = c.presence;
    a.wants_state = c.state;
    // The price of the answer: a list of members is a text of its own, a replay only references.
    a.weight = c.presence                           ? text_weight
               : a.seen || a.latest != 0 || c.state ? replay_weight
                                                    : std::uint8_t{0};
    // Counted before the read, because an owner on this shard answers within it.
    s.awaited_answers += a.weight;
    channels_.read(std::move(a), now);
}

void subscriptions::on_unsubscribe(session& s, const command& c, instant now) {
    subscription* sub = table_.find(s, c.channel);
    if (sub == nullptr)
        return answers_.error(s, c.id, error_code::not_subscribed, "not subscribed to this channel", now);
    remove(*sub, now);
    if (c.id != 0) answers_.send(s, make_unsubscribed(c.id, c.channel), now);
}

void subscriptions::recheck(session& s, instant now) {
    // Collected first, because an end changes the list.
    std::vector<subscription*> lost;
    for (subscription* sub : s.subscriptions) {
        const operations given = permitted(s, sub->where->name, config_.options_of(sub->where->name));
        const bool keeps =
            given.has(operation::subscribe) && (!sub->listed || given.has(operation::show)) &&
            (!subscriber_table::entry_of(*sub).wants_presence || given.has(operation::presence));
        if (!keeps) lost.push_back(sub);
    }
    for (subscription* sub : lost) end(*sub, now);
}

void subscriptions::end(session& s, std::string_view channel, instant now) {
    if (subscription* sub = table_.find(s, channel); sub != nullptr) end(*sub, now);
}

void subscriptions::end(subscription& sub, instant now) {
    session& s = *sub.owner;
    const std::string channel = sub.where->name;
    const bool answered = subscriber_table::entry_of(sub).live;
    const std::uint64_t id = sub.id;
    remove(sub, now);
    if (answered) {
        answers_.send(s, make_unsubscribed(0, channel, name_of(error_code::forbidden)), now);
    } else {
        answers_.error(s, id, error_code::forbidden, "the permission has ended", now);
    }
}

void subscriptions::remove_all(session& s, instant now) {
    while (!s.subscriptions.empty()) remove(*s.subscriptions.back(), now);
}

void subscriptions::remove(subscription& sub, instant now) {
    part p;
    p.from = config_.shard;
    p.token = sub.token;
    p.channel = sub.where->name;
    const bool listed = sub.listed;
    if (listed) p.session = sub.owner->name;
    // Made before the removal, which may delete the channel's name.
    detach d{config_.shard, p.channel};
    const bool last_of_shard = table_.remove(sub);
    if (listed) channels_.change(std::move(p), now);
    // One attachment serves all subscriptions of a shard, so only the last one ends it.
    if (last_of_shard) channels_.read(std::move(d), now);
}

// The subscription that an answer belongs to; null when it has ended in the meantime,
// or when a newer one took its place.
subscription* subscriptions::waiting_for(
    const connection_ref& who, std::string_view channel, std::uint64_t token
) {
    const session* s = sessions_.find(who.value);
    subscription* sub = s == nullptr ? nullptr : table_.find(*s, channel);
    return sub == nullptr || sub->token != token ? nullptr : sub;
}

void subscriptions::on(attached&& m, instant now) {
    subscription* sub = waiting_for(m.to, m.channel, m.token);
    if (sub == nullptr) return;
    session& s = *sub->owner;
    table_.set_live(*sub);
    std::size_t bytes = 0;
    answers_.send(s, std::move(m.subscribed), now);
    counters_.deliveries += m.replay.size();
    // After `subscribed`, as 4.3 demands, and marked as replayed: the members and
    // the history are bounded, the queue must not cut them.
    for (std::vector<message_ptr>* part : {&m.members, &m.replay}) {
        for (const message_ptr& old : *part) bytes += old->line.size();
        output_.add_replay(*part, s.connection);
    }
    charge_answer(s, bytes);
    // After the replay, so that messages which a handler sends to the subscriber come after it.
    if (observers_.any(&interests::subscriptions))
        observers_.tell(
            &interests::subscriptions, client_subscribed{m.to, s.name, m.channel, std::string(s.user())}
        );
}

void subscriptions::on(attach_refused&& m, instant now) {
    subscription* sub = waiting_for(m.to, m.channel, m.token);
    if (sub == nullptr) return;
    session& s = *sub->owner;
    remove(*sub, now);
    ++counters_.errors;
    answers_.send(s, std::move(m.error), now);
}

// One after the other is asked, because nobody knows who of them will do it.
void subscriptions::on(const snapshot_wanted& m, instant now) {
    local_channel* here = table_.find(m.channel);
    if (here == nullptr || !config_.options_of(m.channel).client_publish) return;
    for (std::size_t i = 0; i < here->subscribers.size(); ++i) {
        const subscriber& sub = here->subscribers[here->asked++ % here->subscribers.size()];
        if (!sub.live || !sub.wants_state) continue;
        session& s = *sub.what->owner;
        const operations wanted = operations(operation::publish) | operation::snapshot;
        if ((permitted(s, m.channel, config_.options_of(m.channel)) & wanted) != wanted) continue;
        return answers_.send(s, make_snapshot_wanted(m.channel), now);
    }
}

void subscriptions::on(deliver&& m, instant now) {
    local_channel* here = table_.find(m.what->channel());
    if (here == nullptr) return;
    const bool to_all = m.what->kind != message_kind::presence;
    const bool to_publisher = m.what->except().empty();
    const auto first = static_cast<std::uint32_t>(output_.receivers.size());
    bool is_everyone = to_all;
    for (const subscriber& sub : here->subscribers) {
        // A subscription that is not live yet skips this message: the answer of the
        // owner comes later and covers it.
        if (!sub.live || !(to_all || sub.wants_presence)) continue;
        if (!to_publisher && is_own_text(*sub.what->owner, *m.what)) {
            is_everyone = false;
            continue;
        }
        output_.receivers.push_back(sub.connection);
    }
    const auto count = static_cast<std::uint32_t>(output_.receivers.size()) - first;
    if (count == 0) return;
    if (to_all) here->delivered_ms = now.monotonic_ms;
    counters_.deliveries += count;
    // A message that some subscribers do not get goes to a set of receivers of its own.
    const std::uint64_t audience = is_everyone ? here->audience : table_.new_audience();
    output_.sends.push_back({std::move(m.what), first, count, false, audience});
}

}  // namespace pulsewire::hub
