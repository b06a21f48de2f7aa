#pragma once

// The connections of one client and what they are there for. Mostly it has one. In a hand-over
// (docs/protocol.md 7.3) it has two: the next one opens while this one serves; when that is open it serves,
// and this one retires: all that still counts of it are the answers to requests that went that way. Each has
// deadlines of its own, so that the silence of one does not end the other.
//
// Sans-I/O: a connection is a number, which is never used again; 0 is none.

#include "common/client/reconnect.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace pulsewire::client {

class connections {
public:
    // How long a connection may take until it has brought the server's welcome.
    explicit connections(std::uint32_t open_timeout_ms) : open_timeout_ms_(open_timeout_ms) {}

    std::uint32_t opening() const { return opening_; }
    std::uint32_t serving() const { return serving_; }  // what is sent goes there
    // The one whose welcome is to come, if any is.
    std::uint32_t newest() const { return opening_ != 0 ? opening_ : serving_; }
    // Whether commands go out, or wait for the one that is opening.
    bool take_commands() const { return serving_ != 0 && opening_ == 0; }
    // Whether the one that serves has brought the welcome.
    bool has_welcome() const { return opening_ != 0 || welcome_until_ == never; }

    // --- what happens ---

    // The next one, which is now to be opened.
    std::uint32_t open(time_ms now) {
        welcome_until_ = now + open_timeout_ms_;
        return opening_ = ++last_;
    }

    // From here on it serves. False: nobody waits for that.
    bool opened(std::uint32_t which) {
        if (which != opening_ || which == 0) return false;
        retiring_ = serving_;
        serving_ = which;
        opening_ = 0;
        heard_at_ = answer_until_ = never;
        return true;
    }

    enum class role : std::uint8_t { none, serving, retiring };
    // Something arrived on it.
    role heard(std::uint32_t which, time_ms now) {
        if (which == 0) return role::none;
        if (which == retiring_) return role::retiring;
        if (which != serving_) return role::none;
        heard_at_ = now;
        answer_until_ = never;
        return role::serving;
    }

    // The server has said who it is, and how long it is silent at most; 0: as it said before.
    void welcomed(std::uint32_t silence_max_ms) {
        welcome_until_ = never;
        if (silence_max_ms != 0) silence_max_ms_ = silence_max_ms;
    }

    // What it means that one has ended.
    enum class loss : std::uint8_t {
        none,      // nothing any more
        retired,   // no late answers come
        serving,   // nobody serves until the next one opens
        opening,   // the hand-over comes to nothing: the one that serves goes on
        complete,  // there is no other
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

    // One that is still there, and forgets it; 0: there is none any more.
    std::uint32_t forget() {
        welcome_until_ = hand_over_at_ = never;
        if (opening_ != 0) return std::exchange(opening_, 0);
        if (serving_ != 0) return std::exchange(serving_, 0);
        return retire();
    }

    // --- the hand-over ---

    void hand_over_at(time_ms at) { hand_over_at_ = at; }
    // Whether it is time to open the next one. Says so once.
    bool must_hand_over(time_ms now) {
        if (now < hand_over_at_) return false;
        hand_over_at_ = never;
        return true;
    }
    // The one before stays for late answers.
    void linger(time_ms now) { retire_at_ = now + linger_ms; }
    bool lingers_too_long(time_ms now) const { return now >= retire_at_; }
    // Forgets the one before: which it was, if any.
    std::uint32_t retire() {
        retire_at_ = never;
        return std::exchange(retiring_, 0);
    }

    // --- deadlines, `never` where there is none ---

    // Asks whether the one that serves still lives; false: it has been asked already.
    bool probe(time_ms now) {
        if (answer_until_ != never) return false;
        answer_until_ = now + probe_timeout_ms;
        return true;
    }

    // When the newest has been opening for too long.
    time_ms opening_deadline() const { return welcome_until_; }
    // When the one that serves has been silent for too long.
    time_ms silence_deadline() const {
        return serving_ == 0 ? never : std::min(heard_at_ + silence_max_ms_, answer_until_);
    }
    // The next moment that matters, silence apart.
    time_ms deadline() const { return std::min(welcome_until_, std::min(hand_over_at_, retire_at_)); }

private:
    // How long the one before stays for late answers.
    static constexpr time_ms linger_ms = 5'000;
    // How long it may take to answer a probe.
    static constexpr time_ms probe_timeout_ms = 5'000;

    std::uint32_t last_ = 0;
    std::uint32_t opening_ = 0, serving_ = 0, retiring_ = 0;
    std::uint32_t open_timeout_ms_;
    std::uint32_t silence_max_ms_ = 33'000;  // until the server has said it
    time_ms heard_at_ = never;               // the one that serves
    time_ms answer_until_ = never;           // to a probe
    time_ms welcome_until_ = never;          // of the newest
    time_ms hand_over_at_ = never;
    time_ms retire_at_ = never;
};

}  // namespace pulsewire::client
