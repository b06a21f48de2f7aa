#pragma once

// An attacker with many connections from one address, who keeps to the syntax of the protocol and tries to
// use up what all clients have together: commands, places among members, remembered keys, channels, and
// memory for readers who do not read. Nobody else must be any the worse for it, and the server's tables keep
// their bounds.

#include "common/exchange/address.hpp"
#include "common/sim/dice.hpp"
#include "common/sim/server.hpp"
#include "common/sim/timeline.hpp"
#include "common/sim/witness.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>

namespace pulsewire::sim {

class mob {
public:
    // The number of its address (hub::open). Other addresses have others.
    static constexpr std::uint64_t source = 1;

    // All outlive it.
    mob(timeline& time, dice& random, witness& seen, server& attacked, const server_options& of)
        : time_(time), random_(random), seen_(seen), server_(attacked), options_(of) {}

    // Begins an attack of a kind that is drawn, for some seconds. Attacks may overlap.
    void attack();
    // All its connections end.
    void leave();

    // --- the network's side of its connections ---

    bool owns(hub::connection_ref which) const { return members_.contains(which.value); }
    // So many bytes, or none, are read.
    std::size_t takes(hub::connection_ref which, std::size_t bytes) const;
    void hears(hub::connection_ref which, std::string_view lines);
    void ended(hub::connection_ref which, close_code code);

private:
    enum class kind : std::uint8_t { floods, crowds, fills_keys, makes_channels, reads_nothing, count_ };
    struct member {
        hub::connection_ref at;
        kind does = kind::floods;
        std::int64_t came_ms = 0;
        std::uint64_t last_id = 1;
        std::uint64_t carried_out = 0;      // commands that were not refused
        std::set<std::uint64_t> published;  // ids
    };

    hub::connection_ref come(kind to_do);
    void step(hub::connection_ref at, int steps_left);
    std::string lines_of(member& m, int steps_left);
    void count(member& m, std::string_view line);

    timeline& time_;
    dice& random_;
    witness& seen_;
    server& server_;
    const server_options& options_;
    int life_ = 0;                             // of the server, in which its connections were opened
    std::map<std::uint64_t, member> members_;  // by connection
    int sessions_ = 0, keys_ = 0, channels_ = 0;
};

}  // namespace pulsewire::sim
