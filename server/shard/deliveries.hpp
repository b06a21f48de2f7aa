#pragma once

// Hands what the hub sends to the connections of one shard. Messages of a channel with many subscribers are
// collected, and each subscriber is visited once, at the end of the turn (common/delivery/fan_out.hpp). If
// something else must go to a subscriber sooner, that subscriber is visited first, so that the order of its
// messages never changes.

#include "common/delivery/fan_out.hpp"
#include "common/hub/hub.hpp"
#include "server/shard/connection_table.hpp"
#include "server/shard/program_sessions.hpp"
#include "server/shard/shard_port.hpp"

#include <cstdint>
#include <span>
#include <string_view>

namespace pulsewire::shell {

class deliveries {
public:
    // All outlive it.
    deliveries(connection_table& connections, const program_sessions& programs, shard_port& home)
        : connections_(connections), programs_(programs), home_(home), fan_out_(home.bounds()) {}

    // Gives a message to these connections, now or at the end of the turn.
    void deliver(const hub::output::send& s, std::span<const std::uint64_t> to);
    // Nothing more of the connection is to be read for a while.
    void rest(const hub::output::rest& r);
    // The hub has ended a connection; what was collected for it goes before.
    void close(const hub::output::close& end);

    // --- the end of the turn, in this order ---
    // Visits everybody for whom messages were collected; each writes at once.
    void write_collected();
    // The queues of the turn were flushed: counts how long its oldest publication waited for that.
    void observe_written();
    // What connections that ended just now made the hub send is queued for the next turn.
    void end_turn();

private:
    // Counts and logs what is remarkable.
    void note(const hub::output::send& s, std::span<const std::uint64_t> to);
    void give(const hub::output::send& s, std::span<const std::uint64_t> to);
    bool is_worth_joining(const hub::output::send& s) const;
    void catch_up(std::uint64_t id);
    enum class writing : bool { at_turn_end, at_once };
    void visit(const delivery::fan_out::visit& v, writing when);

    connection_table& connections_;
    const program_sessions& programs_;
    shard_port& home_;
    delivery::fan_out fan_out_;
    std::int64_t oldest_publication_ms_ = 0;  // of this turn; 0: none
};

}  // namespace pulsewire::shell
