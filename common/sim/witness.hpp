#pragma once

// Sees everything that happens in a run and says what must not have happened: the promises P1 to P4 and P7 of
// the design from the outside. The first fault is kept.

#include "common/hub/hub.hpp"
#include "common/sim/sometimes.hpp"
#include "common/sim/state_truth.hpp"
#include "common/sim/timeline.hpp"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace pulsewire::sim {

// The end of a payload whose publisher does not want to see it.
inline constexpr std::string_view to_others = " to others\"";

struct publication {
    std::string payload;  // unique in the run
    std::string except;   // a session that does not show it; empty: none
    std::string key;      // what it is the latest of
    std::size_t bytes = 0;
    std::int64_t at_ms = 0;     // when it was put in order
    std::string snapshot = {};  // its type, if it is a snapshot or a part of one
};

// The position of one subscription of one client.
struct view {
    bool told = false;  // has a position
    std::string epoch;
    std::uint64_t offset = 0;
};

// The answer to a client's subscribe.
struct starting_point {
    bool recovered = false;
    std::string_view epoch;
    std::uint64_t offset = 0;
    std::uint64_t replay = 0;
    std::string_view reason;   // of a recovery that failed
    std::uint32_t latest = 0;  // asked for
    bool state = false;        // asked for
};

// What a client has got that was not recovered and wanted the state.
struct beginning {
    std::uint64_t replay = 0;
    std::uint64_t covers = 0;        // 0: there was no snapshot
    std::vector<std::string> parts;  // of the snapshot, their types
};

class witness {
public:
    // Is told the course of the run, where listen() was called with one.
    using listener = std::function<void(std::int64_t ms, std::string_view who, std::string_view what)>;
    // `promised` is the server's configuration, which says what it promises.
    witness(const timeline& time, const hub::config& promised) : time_(time), promised_(promised) {}

    const std::string& fault() const { return fault_; }
    void blame(const std::string& what) {
        if (fault_.empty()) fault_ = what;
        tell("witness", what);
    }

    void listen(listener l) { listener_ = std::move(l); }
    bool heard() const { return listener_ != nullptr; }
    void tell(std::string_view who, std::string_view what) const {
        if (listener_) listener_(time_.now(), who, what);
    }

    void reached(situation s) { sometimes_.reached(s); }
    const sometimes& count() const { return sometimes_; }

    const namespace_options& options_of(std::string_view channel) const;

    bool keeps_states() const {
        return std::any_of(promised_.namespaces.begin(), promised_.namespaces.end(), [](const auto& of) {
            return of.second.state_bytes_max != 0;
        });
    }
    bool keeps_state(std::string_view channel) const { return options_of(channel).state_bytes_max != 0; }
    bool is_durable(std::string_view channel) const { return options_of(channel).keeps == durability::disk; }

    // The disk refused to write, or will.
    void disk_fails() { disk_failed_ = true; }
    bool has_disk_failed() const { return disk_failed_; }
    // The wall's clock goes ahead: what a restart finds on the disk is older than it was.
    void clock_leaps() { clock_leapt_ = true; }
    bool has_clock_leapt() const { return clock_leapt_; }
    // Somebody fills channels that nobody else knows: where all histories together have a bound, others may
    // have to give up publications.
    void histories_fill_up() { was_too_much_together_ |= promised_.bounds.history_bytes_total_max != 0; }
    // Nothing goes wrong any more.
    void begins_to_heal() { heals_ = true; }
    bool heals() const { return heals_; }
    // ... and everything has come to rest.
    void calms_down() { calm_ = true; }
    bool calm() const { return calm_; }

    // --- the truth, told by the owner of the channel ---

    void server_starts() { ++life_; }
    int life() const { return life_; }
    // A channel as the disk kept it: the newest publications up to `head`.
    struct kept {
        std::string channel;
        std::string epoch;
        std::uint64_t head = 0;
        std::vector<publication> publications;
    };
    void restored(kept k);
    // The channel's log is this one from now on.
    void begins(const std::string& channel, std::string_view epoch);
    void ordered(std::string_view channel, std::uint64_t offset, publication p);
    // How often somebody was shown something new there.
    std::uint64_t shown_in(std::string_view channel);
    bool knows(const std::string& payload) const { return seen_.contains(payload); }

    // --- channels that keep a state (witness_state.cpp) ---

    // A peer will publish this under its type.
    void offers(const std::string& type, const snapshot_offer& s) { offered_[type] = s; }
    // The server has taken the publication, whose payload has so many bytes. `snapshot` is its type.
    void admitted(std::string_view channel, std::size_t payload_bytes, std::string_view snapshot);
    // Somebody has what a state begins with: the newest snapshot that there was, or nothing if there was
    // none.
    void began(const std::string& session, std::string_view channel, view& v, const beginning& b);
    // What the publications up to the view's position make.
    fold folded(std::string_view channel, const view& v) const;
    // Whether the view may have come to `offset` by what is shown to nobody.
    bool may_be_at(const std::string& session, std::string_view channel, const view& v, std::uint64_t offset)
        const;
    // Whether another snapshot covers as much, or the log of this one is lost.
    bool is_stale(const std::string& snapshot) const;
    // Channels with a state that the server, or its disk alone, must not forget.
    std::size_t states_to_keep(bool on_disk) const;

    // --- what clients are told ---

    void acknowledged(
        std::string_view channel, std::string_view epoch, std::uint64_t offset, std::string_view payload
    );
    // A definite error: nobody must ever see it.
    void refused(std::string_view payload);
    // The disk failed: it may come back with a restart, but not once there is something newer in the channel.
    void left_in_doubt(std::string_view channel, std::string_view payload);
    // A subscription began, or was recovered, or was told that it could not be.
    void subscribed(const std::string& session, std::string_view channel, view& v, const starting_point& s);
    void delivered(
        const std::string& session, std::string_view channel, view& v, std::uint64_t offset,
        std::string_view payload
    );
    // Publications up to `offset` do not come: something newer took their place (protocol 5.4).
    void replaced(const std::string& session, std::string_view channel, view& v, std::uint64_t offset);
    void delivered_transient(const std::string& session, std::string_view payload);
    // A page of history, from old to new or backwards; `json` is the array.
    void read(
        std::string_view channel, std::string_view epoch, std::uint64_t head, bool backwards,
        std::string_view json
    );
    // The application, or a client, was asked.
    void requested(const std::string& payload);
    // A session publishes as the same user always. Returns the user that it was, and whether it is told
    // first.
    std::pair<std::string, bool> user_of_session(const std::string& session, const std::string& user) {
        const auto [at, is_new] = users_.try_emplace(session, user);
        return {at->second, is_new};
    }
    // Somebody who keeps to no rule has this name.
    void stranger(const std::string& name) { strangers_.insert(name); }
    bool is_stranger(const std::string& name) const { return strangers_.contains(name); }
    // A client refused to answer.
    void declined(const std::string& payload) { declined_.insert(payload); }
    bool has_declined(const std::string& payload) const { return declined_.contains(payload); }
    // A client was told that it need not answer: who asked hears nothing more of it from the server.
    void taken_back(const std::string& payload) { taken_back_.insert(payload); }
    bool is_taken_back(const std::string& payload) const { return taken_back_.contains(payload); }
    // Nothing is on its way any more: the view must have come to the head.
    void complete(const std::string& session, std::string_view channel, const view& v);
    // The same as a question.
    bool is_complete(const std::string& session, std::string_view channel, const view& v) const;

private:
    // Everything that a channel held under one epoch.
    struct log {
        std::string epoch;
        int life = 0;
        std::vector<publication> publications;
        state_truth state = {};  // where the channel keeps one

        std::uint64_t head() const { return publications.size(); }
        const publication* at(std::uint64_t offset) const {
            return offset == 0 || offset > head() ? nullptr : &publications[offset - 1];
        }
    };
    struct channel {
        bool durable = false, keeps_state = false;
        std::vector<log> logs;  // the last one is the present one
        std::vector<std::string> in_doubt;
        std::uint64_t shown = 0;
    };
    void add(channel& c, publication p);
    const snapshot_offer* offer_of(std::string_view snapshot) const;
    void add_to_state(log& l, publication& p);
    std::uint64_t tail_bytes(const log& l, const snapshot_offer* s) const;
    void begins_state(
        const std::string& session, std::string_view channel, view& v, const starting_point& s, const log& l
    );
    struct place {
        int life = 0;
        std::int64_t at_ms = 0;
    };

    channel* find(std::string_view name);
    const log* find(std::string_view name, std::string_view epoch) const;
    // Whether everything after the view's position up to `offset` was not for this session.
    static bool may_skip_to(
        const std::string& session, const log* l, std::uint64_t from, std::uint64_t offset
    );
    // Whether the history may begin after `offset` by now.
    bool may_have_dropped(std::string_view channel, const log& l, std::uint64_t offset) const;
    // Whether all histories together are larger than they may be.
    bool is_too_much_together() const;
    std::string_view why_lost(std::string_view channel, const view& v, const starting_point& s) const;

    const timeline& time_;
    const hub::config& promised_;
    listener listener_;
    std::string fault_;
    sometimes sometimes_;
    bool heals_ = false, calm_ = false, disk_failed_ = false, clock_leapt_ = false,
         was_too_much_together_ = false;
    int life_ = 0;
    std::map<std::string, channel, std::less<>> channels_;
    std::unordered_map<std::string, place> seen_;            // publications by payload
    std::unordered_set<std::string> once_, refused_;         // what must not happen again, or at all
    std::unordered_set<std::string> declined_, taken_back_;  // requests
    std::unordered_set<std::string> strangers_;
    std::map<std::string, std::string> users_;                    // by session
    std::map<std::string, snapshot_offer, std::less<>> offered_;  // by type
};

}  // namespace pulsewire::sim
