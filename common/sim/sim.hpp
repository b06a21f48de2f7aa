#pragma once

// A whole life in virtual time: one server of several shards, some clients, and a network that delays, cuts,
// stalls and refuses, all drawn from one seed. First everything goes wrong, then nothing any more; then
// everybody must have come to the same end, and when all have left, nothing of them must remain. Same seed,
// same trace, on every platform.

#include "common/sim/dice.hpp"
#include "common/sim/issuer.hpp"
#include "common/sim/mob.hpp"
#include "common/sim/peer.hpp"
#include "common/sim/server.hpp"
#include "common/sim/timeline.hpp"
#include "common/sim/witness.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace pulsewire::sim {

enum class fault : std::uint8_t {
    cut,
    cut_one_way,
    stall,
    freeze,       // a page is suspended
    kill,         // the server's process
    drain,        // the server restarts in good order
    hand_over,    // ... and another one takes new connections already
    lose_line,    // a publication does not get through
    repeat_line,  // a publication gets through twice
    garbage,      // a client gets a message that no server ever sent
    leave,        // a page is closed, or crashes, and another one opened
    stranger,     // a connection that keeps to no rule
    power,        // the server's machine
    disk_full,    // for a while
    disk_error,   // a sync fails: nothing is kept until the next start
    disk_slow,
    clock,  // the server's wall clock is set
    slow_reader,
    mob,      // an address with many connections attacks
    revoke,   // the tokens of a user
    no_keys,  // tokens cannot be verified for a while
    count_,
};

// The faults of a run. Chances are per cent.
struct weather {
    std::uint32_t latency_max_ms = 0;
    std::uint32_t refused = 0;          // a transport does not open
    std::uint32_t swallowed = 0;        // ... or never says anything
    std::uint32_t unnoticed = 0;        // an end of a cut connection hears nothing of it
    std::uint32_t fault_every_ms = 0;   // on average; 0: never
    std::vector<std::uint32_t> faults;  // how often each of `fault`, relative to the others
};

struct sim_options {
    server_options server;
    client::options client;
    weather chaos;
    std::uint32_t clients = 2;
    std::uint32_t websocket_blocked = 0;  // per cent of the clients
    bool tokens = false;                  // the server asks who everybody is
    std::uint32_t act_every_ms = 400;     // on average, each client
    std::uint32_t speak_every_ms = 0;     // on average, the application; 0: never
    std::int64_t chaos_ms = 15'000;
};

// All of it drawn: the chances, too.
sim_options drawn_options(std::uint64_t seed);

class sim {
public:
    sim(std::uint64_t seed, sim_options options);
    explicit sim(std::uint64_t seed) : sim(seed, drawn_options(seed)) {}

    // Tells the course of the run, for people.
    void listen(witness::listener l) { seen_.listen(std::move(l)); }
    // To the end. `after_step`, if given, is called after each thing that happens.
    void run(const std::function<void(sim&)>& after_step = {});

    // --- for tests that want a certain thing to happen ---

    // The last connection of the client, if it has one, breaks.
    void cut(std::size_t client, std::uint32_t unnoticed = 0);
    void freeze(std::size_t client, std::int64_t ms);
    // The server is gone at once, or drains before, and comes back after a while.
    enum class restart_after : std::uint8_t { kill, power_loss, drain };
    void restart(restart_after what, std::int64_t gone_ms);
    // The client gets a message that no server ever sent.
    void inject(std::size_t client, const std::string& message);
    peer& client(std::size_t index) { return *peers_[index]; }
    timeline& time() { return time_; }

    // --- what became of it ---

    // Empty if nothing was wrong.
    const std::string& fault() const { return seen_.fault(); }
    std::uint64_t trace() const;
    std::uint64_t steps() const { return time_.steps(); }
    const sometimes& reached() const { return seen_.count(); }
    hub::counters server_count() const { return server_.count(); }
    // From the last fault until everybody was where they must be.
    std::int64_t healed_after_ms() const { return healed_after_ms_; }

private:
    struct link {
        std::size_t client = 0;
        peer* who = nullptr;
        std::uint32_t attempt = 0;
        bool told_open = false;   // the client was
        bool client_end = true;   // the client has not closed it, nor heard of its end
        bool server_end = false;  // the server has accepted it, and not heard of its end
        bool stream = false;      // SSE
        bool up_broken = false;
        bool down_broken = false;
        bool hurt = false;         // either end has a reason to give it up
        bool lose_line = false;    // the next publication does not get through
        bool repeat_line = false;  // ... or twice
        bool lost_line = false;
        bool mute = false;  // nothing comes any more after what is on its way
        hub::connection_ref at_server;
        std::int64_t last_up = 0, last_down = 0;  // arrivals: nothing overtakes
        std::string down;                         // lines that leave together
        // Bytes that left the server while the client is slow, and that the client has read.
        bool slow = false;
        std::size_t buffer_max = 0, bytes_per_read = 0;
        std::uint64_t taken = 0, read = 0;
        std::deque<std::pair<std::uint64_t, std::string>> in_buffer;  // messages, by where they end
        std::optional<close_code> ends;                               // after them
    };
    using link_ptr = std::shared_ptr<link>;  // shared by whatever is planned for it

    std::int64_t latency() { return random_.below(weather_.latency_max_ms + 1); }
    link_ptr find(std::size_t client, std::uint32_t attempt) const;
    std::unique_ptr<peer> new_peer(std::size_t index);
    void open(std::size_t client, std::uint32_t attempt, client::transport via);
    void accept(const link_ptr& l);
    void send(const link_ptr& l, std::string message);
    void hang_up(const link_ptr& l);
    std::size_t take(hub::connection_ref from, std::size_t bytes);
    void deliver(hub::connection_ref from, std::string_view lines);
    bool would_be_noticed(std::string_view line) const;
    bool breaks_after(const link_ptr& l, std::string_view line);
    void pass_on(const link_ptr& l, std::string_view lines);
    void read_slowly(const link_ptr& l, std::int64_t every_ms, std::int64_t until);
    void read(const link_ptr& l, std::size_t bytes);
    void end_down(const link_ptr& l, close_code code);
    void end(hub::connection_ref which, close_code code);
    void break_link(const link_ptr& l, bool up, bool down, std::uint32_t unnoticed);
    void client_hears_the_end(const link_ptr& l, std::uint16_t code);
    void goes_on_without(const link_ptr& l);
    void server_hears_the_end(const link_ptr& l);
    void forget_all_links();

    void live(std::size_t client);
    void speak();
    void say_in(const std::string& channel);
    void go_wrong();
    void do_wrong(enum fault what, std::size_t client);
    void exchange_page(std::size_t client);
    void stranger_comes();
    void stranger_talks(hub::connection_ref as, int number, int lines_left);

    using each_step = std::function<void(sim&)>;
    void advance(std::int64_t until, const each_step& after_step);
    void clear_up();
    void heal(const each_step& after_step);
    void compare(const each_step& after_step);
    void restart_once_more(const each_step& after_step);
    void say_goodbye(const each_step& after_step);
    // A client that lost the last line of a channel notices with the next one: the application publishes in
    // each channel that is silent since then. Returns whether there is none.
    bool has_spoken_everywhere();
    bool is_quiet() const;
    names present(const std::string& channel) const;

    timeline time_;
    dice random_;
    sim_options options_;
    witness seen_;
    weather weather_;
    issuer issuer_;
    server server_;
    mob mob_;
    std::vector<std::unique_ptr<peer>> peers_, former_peers_;
    std::vector<bool> blocked_;
    // Of each client: the last one, and the one before, which serves until the last one does.
    std::vector<link_ptr> current_, retiring_;
    std::map<std::pair<hub::shard_index, std::uint64_t>, link_ptr> at_server_;
    int pages_ = 0, strangers_ = 0, sayings_ = 0;
    std::map<std::string, std::uint64_t> shown_before_;  // in each channel, when faults ended
    std::int64_t last_spoken_ms_ = 0;
    std::int64_t last_fault_ms_ = 0;  // until when faults may have an effect of their own
    std::int64_t healed_after_ms_ = 0;
};

}  // namespace pulsewire::sim
