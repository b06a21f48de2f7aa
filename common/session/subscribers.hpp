#pragma once

// The subscriptions of one shard's connections, by channel.

#include "common/base/keyed_hash.hpp"
#include "common/session/session.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace pulsewire::hub {

struct local_channel;

struct subscription {
    session* owner = nullptr;
    local_channel* where = nullptr;
    std::uint64_t token = 0;
    std::uint64_t id = 0;          // of the subscribe command
    std::uint32_t at_channel = 0;  // its place in where->subscribers
    std::uint32_t at_session = 0;  // its place in owner->subscriptions
    bool listed = false;
};

// The part of a subscription that a delivery needs. The entries of a channel are neighbours in memory.
struct subscriber {
    std::unique_ptr<subscription> what;
    std::uint64_t connection = 0;
    bool live = false;  // the owner of the channel has answered the attach
    bool wants_presence = false;
    bool wants_state = false;
};

struct local_channel {
    std::string name;
    std::vector<subscriber> subscribers;
    std::uint64_t audience = 0;     // a new number whenever a subscriber comes or goes
    std::int64_t delivered_ms = 0;  // monotonic time of the last message to all live subscribers
    std::size_t asked = 0;          // where the search for one who can offer a snapshot goes on
};

class subscriber_table {
public:
    // `secret` is unknown outside.
    explicit subscriber_table(const hash_key& secret) : channels_(0, name_hash(secret)) {}

    // Precondition: find(owner, channel) is null.
    subscription& add(session& owner, std::string_view channel);
    // The owner of the channel has answered: the subscription gets every message from now on.
    void set_live(const subscription& s);
    // A number that no audience has had before.
    std::uint64_t new_audience() { return ++last_audience_; }
    // A subscription's entry in its channel's list.
    static subscriber& entry_of(const subscription& s) { return s.where->subscribers[s.at_channel]; }
    // Returns whether it was the last subscription of the channel on this shard.
    bool remove(subscription& s);
    // Null when the session is not subscribed. Looks through the shorter of the two lists.
    subscription* find(const session& owner, std::string_view channel);
    // Null when no connection of this shard is subscribed.
    local_channel* find(std::string_view channel);
    // The subscription with this token; null when it is gone.
    static subscription* with_token(const local_channel& where, std::uint64_t token);

    std::size_t size() const { return size_; }

private:
    std::unordered_map<std::string, std::unique_ptr<local_channel>, name_hash, std::equal_to<>> channels_;
    std::size_t size_ = 0;
    std::uint64_t last_audience_ = 0;
};

}  // namespace pulsewire::hub
