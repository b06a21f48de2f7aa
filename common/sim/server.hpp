#pragma once

// A server of several shards whose values to each other take their time, with an application that answers
// requests and publishes, and with a disk. It can be killed, drained and started again. What its channels
// hold is told to the witness.

#include "common/delivery/bounds.hpp"
#include "common/hub/hub.hpp"
#include "common/sim/dice.hpp"
#include "common/sim/disk.hpp"
#include "common/sim/issuer.hpp"
#include "common/sim/shell.hpp"
#include "common/sim/timeline.hpp"
#include "common/sim/wire.hpp"
#include "common/sim/witness.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace pulsewire::sim {

struct server_options {
    hub::config hub;
    std::uint32_t shards_max = 1;           // drawn anew in each life
    std::uint32_t post_delay_max_ms = 0;    // between shards
    std::uint32_t answer_delay_max_ms = 0;  // of the application
    std::uint32_t disk_latency_max_ms = 0;  // of a write, and of a sync
    bool permits_later = false;             // the application decides about commands, after such a delay
    std::vector<std::string> channels;      // all that clients will use
    delivery::bounds delivery;
};

enum class end_of_life : std::uint8_t { process, power };

class server {
public:
    // The network below its connections. Called while the server works; must not call it back.
    struct outside {
        // As much as it takes of so many bytes.
        std::function<std::size_t(hub::connection_ref, std::size_t bytes)> takes;
        // A whole message has left.
        std::function<void(hub::connection_ref, std::string_view lines)> says;
        std::function<void(hub::connection_ref, close_code)> closed;
    };

    server(
        timeline& time, dice& random, witness& seen, const issuer& tokens, const server_options& options,
        outside tell
    );

    bool running() const { return !hubs_.empty(); }
    void start();
    // Everything is gone at once; connections hear nothing. With its power the machine loses what the disk
    // did not sync.
    void kill(end_of_life how = end_of_life::process);
    // Every connection is told a moment to come back within `spread_ms`; then it ends, with all written.
    void drain(std::uint32_t spread_ms);

    // As drain(), but it goes on until it ends otherwise: another one seems to take new connections.
    void hand_over(std::uint32_t spread_ms);

    // Precondition for all: running(). The connection lands on a shard drawn at random. `source` as in
    // hub::open.
    hub::connection_ref open(hub::face f, std::uint64_t source = 0);
    void receive(hub::connection_ref to, std::string_view lines);
    void receive_oversized(hub::connection_ref to, std::string_view head);
    void closed(hub::connection_ref who);
    // The network takes more of what waits for it.
    void writable(hub::connection_ref who);
    // By the operator.
    void revoke(const hub::revoke& what);
    // By the application.
    void publish(const std::string& channel, const std::string& payload, const std::string& conflate = {});

    // As if `ms` passed with nobody there, the recorder neither. Blames what remains.
    void grow_old(std::int64_t ms);

    disk& storage() { return disk_; }
    // Somebody sets the wall's clock.
    void set_clock(std::int64_t by_ms) { clock_off_ms_ += by_ms; }

    hub::counters count() const;
    std::size_t session_count() const;
    std::size_t subscription_count() const;

private:
    hub::hub& at(hub::shard_index shard) { return *hubs_[shard]; }
    hub::shard_index owner_of(std::string_view channel) const {
        return hub::owner_of(channel, shards_, options_.hub.secret);
    }
    hub::instant now() const;
    void restore();
    void carry_out(hub::shard_index shard);
    void stored(hub::shard_index shard, const disk::outcome& o);
    void end();
    void look_for_unsynced(std::string_view lines);
    void deliver(hub::shard_index shard, const hub::output& out, const hub::output::send& s);
    void end_turn(hub::shard_index shard);
    void end_turn_soon(hub::shard_index shard);
    void read_on(hub::connection_ref who);
    void rest(hub::connection_ref who, std::int64_t until_ms);
    void check_bounds(hub::shard_index shard);
    void check_audience(hub::shard_index shard, const hub::output& out, const hub::output::send& s);
    void post(hub::shard_index from, hub::shard_index to, hub::shard_message&& m);
    void answer(hub::shard_index from, hub::client_request&& asked);
    void permit(hub::shard_index from, const hub::authorize& asked);
    void verify(hub::shard_index shard, hub::output::verification&& v);
    void check_permission(std::uint64_t connection, const hub::message& m);
    void record(const hub::message& m);
    void look_at_room(const hub::message& m);
    void tick(hub::shard_index shard);

    timeline& time_;
    dice& random_;
    witness& seen_;
    const issuer& issuer_;
    const server_options& options_;
    shell::outside tell_;
    disk disk_;
    std::int64_t clock_off_ms_ = 0;
    // When a durable publication was given to the disk, which may have refused it meanwhile: of what a
    // restart brings back nobody knows which try it was.
    struct tries {
        std::int64_t first_ms = 0, last_ms = 0;
    };
    tries tries_of(const hub::message& m) const;
    std::unordered_map<std::string, tries> tries_;  // by payload and offset
    hub::shard_index shards_ = 1;
    std::vector<std::unique_ptr<hub::hub>> hubs_;
    struct turn {
        std::unique_ptr<shell> connections;
        bool ends_soon = false, carries_out = false;
    };
    std::vector<turn> turns_;  // by shard
    // When the last value between two shards arrives: later ones do not overtake it.
    std::map<std::pair<hub::shard_index, hub::shard_index>, std::int64_t> last_arrival_;
    struct unsynced {
        hub::shard_index shard = 0;
        std::uint64_t number = 0;
        std::string key;
        std::uint64_t state_bytes = 0;  // that a state will keep of it
    };
    std::vector<unsynced> unsynced_;
    // The most that states were to keep and that was on its way to the disk at once.
    std::uint64_t most_unsynced_bytes_ = 0;
    std::unordered_map<std::uint64_t, wire> wires_;  // by connection
    // The connections of each audience that was named in this life.
    std::map<std::pair<hub::shard_index, std::uint64_t>, std::vector<std::uint64_t>> audiences_;
    // What the connections that showed a token were found to be.
    std::unordered_map<std::uint64_t, access::principal_ptr> known_;
    hub::counters earlier_;              // of former lives
    std::uint64_t last_connection_ = 1;  // not used again, in no life; the first is the recorder's
    std::uint64_t life_ = 0;             // what was planned in an earlier one does not happen
};

}  // namespace pulsewire::sim
