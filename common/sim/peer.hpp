#pragma once

// One page with a client: the real machine, a host that obeys it, and an application that does random things
// and checks what it is told. Its transports are the network's matter.

#include "common/client/machine.hpp"
#include "common/sim/dice.hpp"
#include "common/sim/fold.hpp"
#include "common/sim/issuer.hpp"
#include "common/sim/timeline.hpp"
#include "common/sim/trace.hpp"
#include "common/sim/witness.hpp"

#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pulsewire::sim {

using names = std::set<std::string, std::less<>>;

class peer {
public:
    // The network, as the peer uses it.
    struct outside {
        std::function<void(std::uint32_t attempt, client::transport)> open;
        std::function<void(std::uint32_t attempt)> close;
        std::function<void(std::uint32_t attempt, std::string message)> send;
        // A token that comes after some milliseconds, or does not.
        std::function<std::string(bool& there, std::int64_t& after_ms)> token;
    };

    peer(
        timeline& time, dice& random, witness& seen, std::string_view secret, const client::options& o,
        const std::vector<std::string>& channels, outside network
    );

    // --- the application ---

    void start();
    void act();  // something drawn at random
    // What a subscription of a channel that keeps a state may begin with.
    enum class state_from : std::uint8_t { anything, nothing, needs_state };
    void subscribe(const std::string& channel, state_from from = state_from::anything);
    // Is subscribed to the channel with its state from now on.
    void follow_state(const std::string& channel);
    void unsubscribe(const std::string& channel);
    void publish(const std::string& channel, const client::publish_options& how);
    void request();
    // Of another client that shows itself in the channel, or of somebody who is not there.
    void question(const std::string& channel);
    // Asks for the members of the channel, and for its history.
    void ask(const std::string& channel);
    // The page is closed, properly or because it crashed: from here on it hears nothing.
    void leave(bool properly);

    // --- the network, and the machine below the page ---

    void transport_opened(std::uint32_t attempt);
    void transport_closed(std::uint32_t attempt, std::uint16_t code);
    void message(std::uint32_t attempt, std::string lines);
    void network_online();
    // The page is suspended: nothing happens in it until then, timers least of all.
    void freeze(std::int64_t ms) { thaws_ = std::max(thaws_, time_.now() + ms); }

    // --- what became of it ---

    const std::string& session() const { return session_; }
    std::int64_t thaws() const { return thaws_; }
    bool listed_in(const std::string& channel) const;
    std::size_t subscription_count() const { return subscriptions_.size(); }
    // Whether it is as it must be when nothing goes wrong any more.
    bool converged() const;
    // Blames whatever is not so.
    void check_converged();
    // ... and whatever it takes for present and is not; `present` is who is listed in a channel.
    void check_presence(const std::function<names(const std::string&)>& present);
    // Of all that the machine wanted done.
    std::uint64_t trace() const { return trace_.value(); }

private:
    // What the application has made of a channel that keeps a state.
    struct state_view {
        bool wanted = false;
        bool begins = false;  // from what is on its way
        bool broken = false;  // something is missing in it, and it will begin anew
        fold made;
        std::uint64_t replay = 0;        // of the beginning
        std::string text;                // of the parts that are there
        std::vector<std::string> parts;  // their types
    };
    struct subscription {
        std::string channel;
        std::uint32_t latest = 0;
        view seen;
        bool live = false, presence = false, listed = false;
        names members;
        int number = 0;  // of all that there were
        bool misses_dropped = false;
        state_view state = {};
        std::uint64_t marked = 0;  // of the newest mark of a snapshot that came
    };
    // Where a subscription ended that could go on.
    struct place {
        view seen;
        std::optional<fold> made;  // nothing: it had no state
    };
    struct command {
        enum class kind : std::uint8_t { publish, transient, request, question, history, presence } what;
        std::string channel, payload;
        bool hurried = false;  // may fail with timeout
        bool backwards = false;
        int sent = 0;               // so often
        int sent_to = 0;            // the life of the server when it was first
        std::string asked = {};     // question: the session
        int subscription = 0;       // question: the number of the one that allows it; 0: there was none
        bool binary = false;        // the payload goes as bytes
        std::string snapshot = {};  // its type, if it is a snapshot or a part of one
    };

    // Runs now, or when the page is awake again.
    void when_awake(std::function<void()> what);
    void wake_up_at(std::int64_t ms);
    void line(std::uint32_t attempt, std::string_view text);
    void obey();
    void obey(const client::action& a);
    void tell(subscription& s, const client::action& a);
    void sent(const client::action& a);
    void flush();
    void ended(const client::action& a);
    void failed(const client::action& a, const command& c);
    void enters(const client::action& a);
    const subscription* subscribed_to(std::string_view channel) const;
    // --- peer_state.cpp ---
    void begins_state(subscription& s, bool recovered, std::uint64_t replay);
    void has_begun(subscription& s, std::uint64_t covers);
    void is_given_part(subscription& s, const client::action& a);
    void changes_state(subscription& s, std::string_view payload);
    void check_state(const subscription& s);
    void loses_state(subscription& s);
    void check_position(std::string_view line);
    void sees_mark(std::string_view line);
    void offer(const std::string& channel, bool asked);
    void publish_part(const snapshot_offer& o);
    bool is_refused_for_state(const command& c, std::string_view code);
    // Another client asks, or no longer wants the answer.
    void is_asked(const client::action& a);
    void offered(const std::string& channel);
    void gives_token(std::uint32_t number);
    // The server may have refused for lack of a permission.
    static bool may_lack(std::string_view channel) { return channel.starts_with(granted_namespace); }
    using question_name = std::pair<std::uint32_t, std::uint64_t>;  // the transport, and the number on it
    void answer_after(std::int64_t ms, const question_name& which, const std::string& answer);
    void check_answer(const command& c, std::string_view answer);
    // `said`: by the server.
    void check_failure(const command& c, std::string_view code, bool said);
    void has_joined(subscription& s, std::string_view session);
    std::string_view payload_of(std::uint32_t id);
    std::string_view part(slice s) const { return s.of(line_); }
    std::string_view said_code(const client::action& a) const {
        return a.local_code != error_code::none ? name_of(a.local_code) : part(a.code);
    }
    void blame(const std::string& what) { seen_.blame(session_ + ": " + what); }
    void remember(std::uint32_t id, command c);

    timeline& time_;
    dice& random_;
    witness& seen_;
    std::string session_;
    const std::vector<std::string>& channels_;
    outside network_;
    client::machine machine_;
    std::map<std::uint32_t, subscription> subscriptions_;  // by the machine's id
    std::map<std::uint32_t, command> commands_;            // unanswered
    std::map<std::string, place> left_at_;                 // by channel
    std::map<std::string, names> asked_;                   // what the last presence query of a channel said
    std::map<question_name, std::string> questions_;       // of others, that are not taken back
    std::string line_;                                     // the one that the machine reads
    std::string outgoing_;                                 // lines of this turn
    std::uint32_t outgoing_to_ = 0;                        // the transport that they are for
    std::uint64_t timer_ = 0;                              // only the newest rings
    std::int64_t thaws_ = 0;
    bool leaves_ = false;  // closes itself: what is unanswered fails
    bool gone_ = false;
    std::deque<std::function<void()>> asleep_;  // what happened meanwhile, in order
    std::uint32_t payloads_ = 0;
    int subscriptions_made_ = 0;
    trace_hash trace_;
    bool tokens_ = false;  // the server asks who everybody is
};

}  // namespace pulsewire::sim
