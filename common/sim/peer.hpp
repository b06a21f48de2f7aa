#pragma once

// One client: the real machine, a host that obeys it, and an application that does random things and checks
// what it is told. Its transports are the network's matter.

#include "common/client/machine.hpp"
#include "common/sim/dice.hpp"
#include "common/sim/timeline.hpp"
#include "common/sim/witness.hpp"

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace pulsewire::sim {

class peer {
public:
    // What the peer wants of the network.
    struct outside {
        std::function<void(std::uint32_t attempt, client::transport)> open;
        std::function<void()> close;
        std::function<void(std::string message)> send;
    };
    // What happened to it, over the whole run.
    struct counters {
        std::uint64_t delivered = 0, replayed = 0, transient = 0, published = 0, answered = 0, failed = 0;
        std::uint64_t fresh = 0, recovered = 0, lost = 0, opened_sse = 0, opened_websocket = 0, withdrawn = 0;
    };

    peer(
        timeline& time, dice& random, witness& seen, std::string session, const client::options& o,
        const std::vector<std::string>& channels, outside network
    );

    // --- the application ---

    void start();
    void act();  // something drawn at random
    void subscribe(const std::string& channel);
    void unsubscribe(const std::string& channel);
    void publish(const std::string& channel, const client::publish_options& how);
    void request();

    // --- the network, and the machine below the page ---

    void transport_opened(std::uint32_t attempt);
    void transport_closed(std::uint32_t attempt, std::uint16_t code);
    void message(std::uint32_t attempt, std::string lines);
    void network_online();
    // The page is suspended: nothing happens in it until then, timers least of all.
    void freeze(std::int64_t ms) { thaws_ = std::max(thaws_, time_.now() + ms); }

    // --- what became of it ---

    const std::string& session() const { return session_; }
    const counters& count() const { return counters_; }
    bool listed_in(const std::string& channel) const;
    // Blames whatever is not as it must be when nothing goes wrong any more; `present` is who is listed in a
    // channel.
    void check_converged(const std::function<std::set<std::string>(const std::string&)>& present);
    // Of all that the machine wanted done.
    std::uint64_t trace() const { return trace_; }

private:
    struct subscription {
        std::string channel;
        view seen;
        bool live = false, presence = false, listed = false;
        std::set<std::string> members;
    };
    struct command {
        enum class kind : std::uint8_t { publish, transient, request, query } what;
        std::string channel, payload;
        bool hurried = false;  // may fail with timeout
    };

    // Runs now, or when the page is awake again.
    void when_awake(std::function<void()> what);
    void wake_up_at(std::int64_t ms);
    void obey();
    void obey(const client::action& a);
    void sent(const client::action& a);
    void flush();
    void ended(const client::action& a);
    void enters(const client::action& a);
    std::string payload_of(std::uint32_t id) const;
    std::string_view part(slice s) const { return s.of(line_); }
    void note(std::string_view what);
    void blame(const std::string& what) { seen_.blame(session_ + ": " + what); }
    void remember(std::uint32_t id, command c);

    timeline& time_;
    dice& random_;
    witness& seen_;
    std::string session_;
    std::vector<std::string> channels_;
    outside network_;
    client::machine machine_;
    std::map<std::uint32_t, subscription> subscriptions_;  // by the machine's id
    std::map<std::uint32_t, command> commands_;            // unanswered
    std::string line_;                                     // the one that the machine reads
    std::string outgoing_;                                 // lines of this turn
    std::uint64_t timer_ = 0;                              // only the newest rings
    std::int64_t thaws_ = 0;
    std::deque<std::function<void()>> asleep_;  // what happened meanwhile, in order
    std::uint32_t payloads_ = 0;
    counters counters_;
    std::uint64_t trace_ = 14695981039346656037u;
};

}  // namespace pulsewire::sim
