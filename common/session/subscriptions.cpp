#include "common/session/subscriptions.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace pulsewire::hub {
namespace {

// Raw text does not go back to its sender, who could not tell it from others' (docs/protocol.md 10.1).
bool is_own_text(const session& s, const message& m) {
    return s.speaks == face::plain_websocket && m.except() == s.name;
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

    subscription& sub = table_.add(s, c.channel);
    sub.token = ++last_token_;
    sub.id = c.id;
    subscriber_table::entry_of(sub).wants_presence = c.presence;
    sub.listed = !c.payload.empty();
    const std::uint64_t token = sub.token;
    const std::string channel(c.channel);

    // Listed before the owner answers, so that the list of members which a new one gets has itself in it.
    if (sub.listed)
        channels_.change(join{config_.shard, token, channel, s.name, std::string(c.payload)}, now);

    attach a;
    a.from = {config_.shard, s.connection};
    a.id = c.id;
    a.token = token;
    a.channel = channel;
    if (!c.epoch.empty() && c.has_offset) a.seen = position{std::string(c.epoch), c.offset};
    a.latest = static_cast<std::uint32_t>(std::min<std::uint64_t>(c.latest, config_.bounds.recovery_max));
    a.wants_presence = c.presence;
    a.weight = c.presence ? text_weight : a.seen || a.latest != 0 ? replay_weight : std::uint8_t{0};
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
    detach d{config_.shard, p.channel};
    const bool last_of_shard = table_.remove(sub);
    if (listed) channels_.change(std::move(p), now);
    if (last_of_shard) channels_.read(std::move(d), now);
}

// The subscription that an answer is for; null when it ended meanwhile, or another one took its place.
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
    answers_.send(s, std::move(m.subscribed), now);
    if (m.members != nullptr) answers_.send(s, std::move(m.members), now);
    counters_.deliveries += m.replay.size();
    for (message_ptr& old : m.replay) output_.add_send(std::move(old), s.connection, true);
    if (observers_.any(&interests::subscriptions))
        observers_.tell(&interests::subscriptions, client_subscribed{m.to, s.name, m.channel});
}

void subscriptions::on(attach_refused&& m, instant now) {
    subscription* sub = waiting_for(m.to, m.channel, m.token);
    if (sub == nullptr) return;
    session& s = *sub->owner;
    remove(*sub, now);
    ++counters_.errors;
    answers_.send(s, std::move(m.error), now);
}

void subscriptions::on(deliver&& m, instant now) {
    local_channel* here = table_.find(m.what->channel());
    if (here == nullptr) return;
    const bool to_all = m.what->kind != message_kind::presence;
    const bool to_publisher = m.what->except().empty();
    const auto first = static_cast<std::uint32_t>(output_.receivers.size());
    bool is_everyone = to_all;
    for (const subscriber& sub : here->subscribers) {
        // Not live yet: the owner's answer, which comes after this, has all that the subscription needs.
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
    // A message that not everybody gets goes to a set of receivers of its own.
    const std::uint64_t audience = is_everyone ? here->audience : table_.new_audience();
    output_.sends.push_back({std::move(m.what), first, count, false, audience});
}

}  // namespace pulsewire::hub
