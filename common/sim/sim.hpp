#pragma once

// A whole life in virtual time: one server of several shards, some clients, and a network that delays, cuts,
// stalls and refuses, all drawn from one seed. First everything goes wrong, then nothing any more; then
// everybody must have come to the same end. Same seed, same trace, on every platform.

#include "common/sim/dice.hpp"
#include "common/sim/peer.hpp"
#include "common/sim/server.hpp"
#include "common/sim/timeline.hpp"
#include "common/sim/witness.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace pulsewire::sim {

// What may go wrong in a run. Chances are per cent.
struct weather {
    std::uint32_t latency_max_ms = 0;
    std::uint32_t refused = 0;          // a transport does not open
    std::uint32_t swallowed = 0;        // ... or never says anything
    std::uint32_t unnoticed = 0;        // an end of a cut connection hears nothing of it
    std::uint32_t fault_every_ms = 0;   // on average; 0: never
    std::vector<std::uint32_t> faults;  // how often each of `fault`, relative to the others
};

enum class fault : std::uint8_t { cut, cut_one_way, stall, freeze, kill, drain, lose_line, garbage };

struct sim_options {
    server_options server;
    client::options client;
    weather chaos;
    std::uint32_t clients = 2;
    std::uint32_t websocket_blocked = 0;  // per cent of the clients
    std::uint32_t act_every_ms = 400;     // on average, each client
    std::int64_t chaos_ms = 15'000;
    std::int64_t calm_ms = 120'000;  // the longest way back is shorter
};

// All of it drawn: the chances, too.
sim_options drawn_options(std::uint64_t seed);

class sim {
public:
    sim(std::uint64_t seed, sim_options options);
    explicit sim(std::uint64_t seed) : sim(seed, drawn_options(seed)) {}

    // To the end. `after_step`, if given, is called after each thing that happens.
    void run(const std::function<void(sim&)>& after_step = {});

    // --- for tests that want a certain thing to happen ---

    // The last connection of the client, if it has one, breaks.
    void cut(std::size_t client, std::uint32_t unnoticed = 0);
    void freeze(std::size_t client, std::int64_t ms) { peers_[client]->freeze(ms); }
    // The server is gone at once, or drains before, and comes back after a while.
    void restart(bool drained, std::int64_t gone_ms);
    // The client gets a message that no server ever sent.
    void inject(std::size_t client, const std::string& message);
    peer& client(std::size_t index) { return *peers_[index]; }
    timeline& time() { return time_; }

    // --- what became of it ---

    // Empty if nothing was wrong.
    const std::string& fault() const { return seen_.fault(); }
    std::uint64_t trace() const;
    std::uint64_t steps() const { return time_.steps(); }
    peer::counters count() const;
    hub::counters server_count() const { return server_.count(); }
    int restarts() const { return restarts_; }

private:
    struct link {
        std::size_t client = 0;
        std::uint32_t attempt = 0;
        bool client_end = true;   // the client has not closed it, nor heard of its end
        bool server_end = false;  // the server has accepted it, and not heard of its end
        bool stream = false;      // SSE
        bool up_broken = false;
        bool down_broken = false;
        bool lose_line = false;  // the next publication does not get through
        hub::connection_ref at_server;
        std::int64_t last_up = 0, last_down = 0;  // arrivals: nothing overtakes
        std::string down;                         // lines that leave together
    };
    using link_ptr = std::shared_ptr<link>;  // shared by whatever is planned for it

    std::int64_t latency() { return random_.below(weather_.latency_max_ms + 1); }
    void add_client(bool websocket_blocked);
    void open(std::size_t client, std::uint32_t attempt, client::transport via);
    void accept(const link_ptr& l);
    void send(const link_ptr& l, std::string message);
    void hang_up(const link_ptr& l);
    void deliver(hub::connection_ref from, std::string_view line);
    void end(hub::connection_ref which, close_code code);
    void break_link(const link_ptr& l, bool up, bool down, std::uint32_t unnoticed);
    void client_hears_the_end(const link_ptr& l, std::uint16_t code);
    void server_hears_the_end(const link_ptr& l);
    void forget_all_links();

    void live(std::size_t client);
    void go_wrong();
    void clear_up();
    void do_wrong(enum fault what, std::size_t client);

    timeline time_;
    dice random_;
    witness seen_;
    sim_options options_;
    weather weather_;
    server server_;
    std::vector<std::unique_ptr<peer>> peers_;
    std::vector<bool> blocked_;
    std::vector<link_ptr> current_;  // of each client
    std::map<std::pair<hub::shard_index, std::uint64_t>, link_ptr> at_server_;
    int restarts_ = 0;
};

}  // namespace pulsewire::sim
