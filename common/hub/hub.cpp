#include "common/hub/hub.hpp"

#include "common/base/overloaded.hpp"

#include <type_traits>
#include <utility>
#include <variant>

namespace pulsewire::hub {
namespace {

// The channel that a value names.
template <class Value>
std::string_view channel_of(const Value& value) {
    return value.channel;
}
std::string_view channel_of(const channel_change& value) {
    return std::visit([](const auto& m) { return std::string_view(m.channel); }, value);
}
std::string_view channel_of(const channel_read& value) {
    return std::visit([](const auto& m) { return std::string_view(m.channel); }, value);
}

void give(log_port& to, channel_change&& value, instant now) {
    to.change(std::move(value), now);
}
template <class Read>
void give(log_port& to, Read&& value, instant now) {
    to.read(std::forward<Read>(value), now);
}

}  // namespace

void hub::receive(shard_message&& m, instant now) {
    std::visit(
        overloaded{
            [&](channel_change& value) { hand_to_channels(std::move(value), now); },
            [&](channel_read& value) { hand_to_channels(std::move(value), now); },
            [&](to_session& value) {
                if (reply* const r = std::get_if<reply>(&value)) return hand_to_sessions(std::move(*r), now);
                sessions_.receive(std::move(value), now);
            },
        },
        m
    );
}

template <class Value>
void hub::hand_to_channels(Value&& value, instant now) {
    if (log_ != nullptr && config_.is_shared(channel_of(value)))
        return give(*log_, std::forward<Value>(value), now);
    channels_.receive(std::forward<Value>(value), now);
}

template <class Value>
void hub::hand_to_sessions(Value&& value, instant now) {
    // A client of another node has asked, and the log is the way to it.
    if constexpr (std::is_same_v<Value, reply>)
        if (log_ != nullptr && is_foreign(value.to)) return log_->answer(std::move(value), now);
    sessions_.receive(std::forward<Value>(value), now);
}

void hub::use_namespaces(const config& fresh, instant now) {
    take_changeable(config_.default_namespace, fresh.default_namespace);
    std::erase_if(config_.namespaces, [&](const auto& n) { return !fresh.namespaces.contains(n.first); });
    for (const auto& [name, options] : fresh.namespaces)
        take_changeable(
            config_.namespaces.try_emplace(name, config_.default_namespace).first->second, options
        );
    channels_.use_options();
    sessions_.recheck_all(now);
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
    const shard_index owner = owner_of(p.channel, config_);
    if (owner == config_.shard) {
        if (log_ != nullptr && config_.is_shared(p.channel)) return log_->publish(p, now);
        return channels_.order(p, now);
    }
    // Only here is the publish copied: its views point into the buffer of the connection.
    output_.posts.push_back({owner, channel_change(p.as<std::string>())});
}

void hub::change(channel_change&& value, instant now) {
    const shard_index owner = owner_of(channel_of(value), config_);
    if (owner == config_.shard) return hand_to_channels(std::move(value), now);
    output_.posts.push_back({owner, std::move(value)});
}

void hub::read(channel_read&& value, instant now) {
    const shard_index owner = owner_of(channel_of(value), config_);
    if (owner == config_.shard) return hand_to_channels(std::move(value), now);
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
    const shard_index owner = owner_of(value.channel, config_);
    if (owner == config_.shard) return hand_to_channels(std::forward<Value>(value), now);
    output_.posts.push_back({owner, channel_read(std::forward<Value>(value))});
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
    if (to == config_.shard) return hand_to_sessions(std::move(value), now);
    output_.posts.push_back({to, to_session(std::move(value))});
}

}  // namespace pulsewire::hub
