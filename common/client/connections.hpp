#pragma once

// The connections of one client and their roles. Mostly there is one. In a hand-over (docs/protocol.md 7.3)
// there are two: the next connection opens while the current one serves. When the next one is open, it serves
// and the old one retires: only the answers to requests that were sent on the old one still count. Each has
// its own deadlines, so the silence of one does not end the other.
//
// Sans-I/O: a connection is a number, which is never used again; 0 is none.

#include "common/client/reconnect.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace pulsewire::client {

class connections {
public:
    // `open_timeout_ms` bounds the time until a connection has brought the server's welcome.
    explicit connections(std::uint32_t open_timeout_ms) : open_timeout_ms_(open_timeout_ms) {}

    std::uint32_t opening() const { return opening_; }
    std::uint32_t serving() const { return serving_; }  // messages are sent on this one
    // The newest connection; if a welcome is awaited, it is this one's.
    std::uint32_t newest() const { return opening_ != 0 ? opening_ : serving_; }
    // Whether commands are sent now; otherwise they wait for the welcome of the newest connection, which
    // tells how large a message may be.
    bool take_commands() const { return serving_ != 0 && opening_ == 0 && welcome_until_ == never; }
    // Whether the serving connection has brought the welcome.
    bool has_welcome() const { return opening_ != 0 || welcome_until_ == never; }

    // --- what happens ---

    // Returns the number of the next connection, which the caller opens now.
    std::uint32_t open(time_ms now) {
        welcome_until_ = now + open_timeout_ms_;
        // Asked for again while this one waited for a token, perhaps.
        hand_over_at_ = never;
        return opening_ = ++last_;
    }

    // From now on the connection serves. False when it is not the one awaited.
    bool opened(std::uint32_t which) {
        if (which != opening_ || which == 0) return false;
        retiring_ = serving_;
        serving_ = which;
        opening_ = 0;
        heard_at_ = answer_until_ = never;
        return true;
    }

    enum class role : std::uint8_t { none, serving, retiring };
    // Something arrived on the connection.
    role heard(std::uint32_t which, time_ms now) {
        if (which == 0) return role::none;
        if (which == retiring_) return role::retiring;
        if (which != serving_) return role::none;
        heard_at_ = now;
        answer_until_ = never;
        return role::serving;
    }

    // The welcome arrived. `silence_max_ms` is the longest silence of the server; 0: unchanged.
    void welcomed(std::uint32_t silence_max_ms) {
        welcome_until_ = never;
        if (silence_max_ms != 0) silence_max_ms_ = silence_max_ms;
    }

    // The consequence of a connection's end.
    enum class loss : std::uint8_t {
        none,      // no role, so no consequence
        retired,   // no late answers will come
        serving,   // no connection serves until the next one opens
        opening,   // the hand-over failed: the serving connection goes on
        complete,  // there is no other connection
    };
    loss ended(std::uint32_t which) {
        if (which == 0) return loss::none;
        if (which == retiring_) {
            retire();
            return loss::retired;
        }
        if (which == opening_) {
            opening_ = 0;
            welcome_until_ = never;
            return serving_ != 0 ? loss::opening : loss::complete;
        }
        if (which != serving_) return loss::none;
        serving_ = 0;
        return opening_ != 0 ? loss::serving : loss::complete;
    }

    // Forgets one connection and returns it; 0 when none is left.
    std::uint32_t forget() {
        welcome_until_ = hand_over_at_ = never;
        if (opening_ != 0) return std::exchange(opening_, 0);
        if (serving_ != 0) return std::exchange(serving_, 0);
        return retire();
    }

    // --- the hand-over ---

    void hand_over_at(time_ms at) { hand_over_at_ = at; }
    // Whether it is time to open the next connection; true only once.
    bool must_hand_over(time_ms now) {
        if (now < hand_over_at_) return false;
        hand_over_at_ = never;
        return true;
    }
    // The old connection stays for late answers.
    void linger(time_ms now) { retire_at_ = now + linger_ms; }
    bool lingers_too_long(time_ms now) const { return now >= retire_at_; }
    // Forgets the old connection and returns it; 0 when there is none.
    std::uint32_t retire() {
        retire_at_ = never;
        return std::exchange(retiring_, 0);
    }

    // --- deadlines, `never` where there is none ---

    // Starts a probe of the serving connection, whose last byte leaves at `left_at`; false when one is
    // already running.
    bool probe(time_ms left_at) {
        if (answer_until_ != never) return false;
        answer_until_ = left_at + probe_timeout_ms * patience_;
        return true;
    }

    // The silence was too long. The server may have been sending one long message over a slow link, which a
    // host sees only as a whole: the next silence may be twice as long.
    void silent() { patience_ = std::min(2 * patience_, patience_max); }
    // A heartbeat came in time, so nothing long is on its way.
    void beats() { patience_ = 1; }

    // The deadline for the welcome of the newest connection.
    time_ms opening_deadline() const { return welcome_until_; }
    // The deadline for a sign of life of the serving connection. Since `large_since` something large is on
    // its way, which a host sees only as a whole; `never`: nothing is.
    time_ms silence_deadline(time_ms large_since = never) const {
        if (serving_ == 0) return never;
        const time_ms since = large_since == never ? heard_at_ : std::max(heard_at_, large_since);
        return std::min(since + std::int64_t{silence_max_ms_} * patience_, answer_until_);
    }
    // The next deadline of any kind, except silence.
    time_ms deadline() const { return std::min(welcome_until_, std::min(hand_over_at_, retire_at_)); }

private:
    // The time for which the old connection stays for late answers.
    static constexpr time_ms linger_ms = 5'000;
    // The time for the answer to a probe.
    static constexpr time_ms probe_timeout_ms = 5'000;
    static constexpr std::uint32_t patience_max = 8;

    std::uint32_t last_ = 0;
    std::uint32_t opening_ = 0, serving_ = 0, retiring_ = 0;
    std::uint32_t open_timeout_ms_;
    std::uint32_t silence_max_ms_ = 33'000;  // until a welcome sets it
    std::uint32_t patience_ = 1;             // how often its time a silence may last
    time_ms heard_at_ = never;               // on the serving connection
    time_ms answer_until_ = never;           // to a probe
    time_ms welcome_until_ = never;          // of the newest
    time_ms hand_over_at_ = never;
    time_ms retire_at_ = never;
};

}  // namespace pulsewire::client
