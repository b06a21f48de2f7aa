#include "common/hub/hub.hpp"

#include "common/base/overloaded.hpp"

#include <variant>

namespace pulsewire::hub {
namespace {

// The shard that owns the channel that a value names.
template <class Value>
shard_index owner_of_named(const Value& value, const config& c) {
    return std::visit([&](const auto& m) { return owner_of(m.channel, c.shard_count, c.secret); }, value);
}

}  // namespace

void hub::receive(shard_message&& m, instant now) {
    std::visit(
        overloaded{
            [&](channel_change& value) { channels_.receive(std::move(value), now); },
            [&](channel_read& value) { channels_.receive(std::move(value), now); },
            [&](to_session& value) { sessions_.receive(std::move(value), now); },
        },
        m
    );
}

bool hub::tick(instant now) {
    // Sessions first: a member whose connection is ended here starts to leave in the same tick.
    sessions_are_due_ = sessions_.tick(now);
    members_are_due_ = channels_.tick(now);
    return sessions_are_due_ || members_are_due_;
}

bool hub::tick_on(instant now) {
    if (sessions_are_due_) sessions_are_due_ = sessions_.tick(now);
    if (members_are_due_) members_are_due_ = channels_.let_leave(now);
    return sessions_are_due_ || members_are_due_;
}

void hub::publish(const publish_view& p, instant now) {
    // Every way into the channels chooses the owner from the name alone, so all shards agree without asking.
    const shard_index owner = owner_of(p.channel, config_.shard_count, config_.secret);
    if (owner == config_.shard) return channels_.order(p, now);
    // Only here is the publish copied: its views point into the buffer of the connection.
    output_.posts.push_back({owner, channel_change(p.as<std::string>())});
}

void hub::change(channel_change&& value, instant now) {
    const shard_index owner = owner_of_named(value, config_);
    if (owner == config_.shard) return channels_.receive(std::move(value), now);
    output_.posts.push_back({owner, std::move(value)});
}

void hub::read(channel_read&& value, instant now) {
    const shard_index owner = owner_of_named(value, config_);
    if (owner == config_.shard) return channels_.receive(std::move(value), now);
    output_.posts.push_back({owner, std::move(value)});
}

void hub::read(attach&& value, instant now) {
    read_named(std::move(value), now);
}

void hub::read(detach&& value, instant now) {
    read_named(std::move(value), now);
}

template <class Value>
void hub::read_named(Value&& value, instant now) {
    const shard_index owner = owner_of(value.channel, config_.shard_count, config_.secret);
    if (owner == config_.shard) return channels_.receive(std::move(value), now);
    output_.posts.push_back({owner, channel_read(std::move(value))});
}

void hub::post(shard_index to, to_session&& value, instant now) {
    post_one(to, std::move(value), now);
}

void hub::post(shard_index to, attached&& value, instant now) {
    post_one(to, std::move(value), now);
}

void hub::post(shard_index to, deliver&& value, instant now) {
    post_one(to, std::move(value), now);
}

void hub::post(shard_index to, reply&& value, instant now) {
    post_one(to, std::move(value), now);
}

template <class Value>
void hub::post_one(shard_index to, Value&& value, instant now) {
    if (to == config_.shard) return sessions_.receive(std::move(value), now);
    output_.posts.push_back({to, to_session(std::move(value))});
}

}  // namespace pulsewire::hub
