#pragma once

// A server of several shards whose values to each other take their time, with an application that answers
// requests, and that can be killed, drained and started again. What its channels hold is told to the witness.

#include "common/hub/hub.hpp"
#include "common/sim/dice.hpp"
#include "common/sim/timeline.hpp"
#include "common/sim/witness.hpp"

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pulsewire::sim {

struct server_options {
    hub::config hub;
    std::uint32_t shards = 1;
    std::uint32_t post_delay_max_ms = 0;    // between shards
    std::uint32_t answer_delay_max_ms = 0;  // of the application
    std::vector<std::string> channels;      // all that clients will use
};

class server {
public:
    // What connections are told. Called while the server works; must not call it back.
    struct outside {
        std::function<void(hub::connection_ref, std::string_view line)> line;
        std::function<void(hub::connection_ref, close_code)> closed;
    };

    server(timeline& time, dice& random, witness& seen, server_options options, outside tell);

    bool running() const { return !hubs_.empty(); }
    void start();
    // Everything is gone at once; connections hear nothing.
    void kill();
    // Every connection is told a moment to come back within `spread_ms`; then as kill().
    void drain(std::uint32_t spread_ms);

    // Precondition for all: running(). The connection lands on a shard drawn at random.
    hub::connection_ref open(hub::face f);
    void receive(hub::connection_ref to, std::string_view lines);
    void receive_oversized(hub::connection_ref to, std::string_view head);
    void closed(hub::connection_ref who);

    hub::counters count() const;
    std::size_t session_count() const;
    std::size_t subscription_count() const;

private:
    hub::hub& at(hub::shard_index shard) { return *hubs_[shard]; }
    hub::instant now() const { return {time_.now(), 1'700'000'000'000 + time_.now()}; }
    void carry_out(hub::shard_index shard);
    void post(hub::shard_index from, hub::shard_index to, hub::shard_message&& m);
    void answer(hub::shard_index from, hub::client_request&& asked);
    void record(const hub::message& m);
    void tick(hub::shard_index shard);

    timeline& time_;
    dice& random_;
    witness& seen_;
    server_options options_;
    outside tell_;
    std::vector<std::unique_ptr<hub::hub>> hubs_;
    // When the last value between two shards arrives: later ones do not overtake it.
    std::map<std::pair<hub::shard_index, hub::shard_index>, std::int64_t> last_arrival_;
    std::map<std::string, std::string> epochs_;  // of the channels
    std::uint64_t last_connection_ = 0;
    std::uint64_t life_ = 0;  // what was planned in an earlier one does not happen
};

}  // namespace pulsewire::sim
