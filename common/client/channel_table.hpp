#pragma once

// The subscriptions of the client, found by id or by channel name.

#include "common/base/relocating_vector.hpp"
#include "common/base/text_buffer.hpp"
#include "common/client/answer_clock.hpp"
#include "common/client/reconnect.hpp"

#include <cstdint>
#include <string_view>

namespace pulsewire::client {

enum class subscription_state : std::uint8_t {
    vacant,     // the slot is free
    idle,       // to be sent when a transport is open
    asked,      // sent, not answered
    live,       // its messages are delivered
    postponed,  // to be sent again at `due`
};

struct subscription {
    subscription_state state = subscription_state::vacant;
    bool presence = false;
    bool has_position = false;
    bool state_wanted = false;
    bool awaits_members = false;  // they come behind the answer
    std::uint32_t latest = 0;
    std::uint32_t payload_of = 0;
    std::uint32_t command_id = 0;      // of the unanswered subscribe
    std::uint32_t replay_left = 0;     // publications from history still to come
    std::uint64_t offset = 0;          // with has_position: the offset of the last publication seen
    answer_clock::start asked_at;      // of the last subscribe
    time_ms due = 0;                   // postponed: when to send it again
    time_ms resynced_at = 0;           // the last recovery after dropped publications, past or planned
    std::uint32_t resync_wait_ms = 0;  // the wait between the last two of them
    text_buffer channel;
    text_buffer epoch;
};

class channel_table {
public:
    // The new subscription's id, from 1. Ids of removed subscriptions are used again.
    std::uint32_t add(std::string_view channel);
    void remove(std::uint32_t id);
    void clear();
    // Null when there is no such subscription.
    subscription* with_id(std::uint32_t id);
    subscription* with_channel(std::string_view channel);
    std::uint32_t id_of(const subscription& s) const {
        return static_cast<std::uint32_t>(&s - slots_.begin()) + 1;
    }

    // All slots; skip the vacant ones.
    relocating_vector<subscription>& slots() { return slots_; }
    const relocating_vector<subscription>& slots() const { return slots_; }

private:
    void rebuild();
    void index(std::uint32_t id);

    relocating_vector<subscription> slots_;
    // Ids by hash of the channel's name, with open addressing, at most half full; 0 is an empty place.
    relocating_vector<std::uint32_t> by_name_;
    std::uint32_t vacant_ = 0;
    std::uint32_t last_found_ = 0;  // a shortcut, because messages of one channel come in runs
};

}  // namespace pulsewire::client
