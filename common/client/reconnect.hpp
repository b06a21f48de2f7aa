#pragma once

// The decisions of a reconnect: the delay, and the transport.

#include "common/base/random.hpp"

#include <algorithm>
#include <cstdint>

namespace pulsewire::client {

// Milliseconds of a monotonic clock. Only differences count.
using time_ms = std::int64_t;
// No deadline: a moment in thousands of years, to which a wait can be added.
inline constexpr time_ms never = time_ms{1} << 47;

enum class transport : std::uint8_t { websocket, sse };
enum class transport_choice : std::uint8_t { automatic, websocket, sse };

struct backoff_options {
    // The delay before attempt n is drawn between 0 and min(max_ms, min_ms * 2^n), but never below floor_ms.
    std::uint32_t min_ms = 500;
    std::uint32_t max_ms = 20'000;
    std::uint32_t floor_ms = 100;
    // A connection that was open for at least this time makes the next failure count as the first.
    std::uint32_t stable_after_ms = 10'000;
    // Failures in a row after which the machine gives up; 0: never.
    std::uint32_t attempts_max = 0;
};

// Full-jitter exponential backoff (docs/protocol.md 9.1).
class backoff {
public:
    backoff(const backoff_options& options, std::uint64_t seed) : options_(options), random_(seed) {}

    // Counts a failure and returns the delay in milliseconds.
    std::uint32_t fail() {
        const std::uint32_t doublings = std::min<std::uint32_t>(failures_, 20);
        const std::uint64_t ceiling = std::min<std::uint64_t>(
            std::min(options_.max_ms, timer_ms_max), static_cast<std::uint64_t>(options_.min_ms) << doublings
        );
        ++failures_;
        return std::max(options_.floor_ms, draw(static_cast<std::uint32_t>(ceiling) + 1));
    }

    // A number below the bound, for the moments that many clients must not share.
    std::uint32_t draw(std::uint32_t below) {
        return static_cast<std::uint32_t>(next_random(random_, below));
    }

    void succeeded_for(time_ms duration) {
        if (duration >= options_.stable_after_ms) failures_ = 0;
    }

    // Failures in a row.
    std::uint32_t failures() const { return failures_; }
    bool exhausted() const { return options_.attempts_max != 0 && failures_ >= options_.attempts_max; }

private:
    // The longest delay of a browser's timer; a longer one would fire at once.
    static constexpr std::uint32_t timer_ms_max = 0x7fffffff;

    backoff_options options_;
    std::uint64_t random_;
    std::uint32_t failures_ = 0;
};

// Chooses the transport of the next attempt. Automatic: WebSocket, until it looks blocked (it never
// opened, or it keeps breaking soon after), then SSE; back to WebSocket when SSE fails too, or at the
// first loss after retry_websocket_ms.
class transport_picker {
public:
    explicit transport_picker(transport_choice choice) : choice_(choice) {
        next_ = choice == transport_choice::sse ? transport::sse : transport::websocket;
    }

    transport next() const { return next_; }

    // The attempt ended before the server's welcome.
    void failed() {
        if (choice_ != transport_choice::automatic) return;
        if (next_ == transport::sse) return use_websocket();
        if (++websocket_failures_ >= patience()) next_ = transport::sse;
    }

    void opened(time_ms now) {
        opened_at_ = now;
        if (next_ == transport::websocket) {
            websocket_worked_ = true;
            websocket_failures_ = 0;
        }
    }

    // An open connection was lost at the time `now`; `silently` when the server did not say why.
    void lost(bool silently, time_ms now) {
        if (choice_ != transport_choice::automatic) return;
        const time_ms lived = now - opened_at_;
        if (next_ == transport::sse) {
            if (websocket_worked_ || lived >= retry_websocket_ms) use_websocket();
            return;
        }
        short_lives_ = silently && lived < short_life_ms ? short_lives_ + 1 : 0;
        if (short_lives_ < short_lives_max) return;
        short_lives_ = 0;
        websocket_worked_ = false;
        next_ = transport::sse;
    }

private:
    static constexpr time_ms short_life_ms = 5'000;
    static constexpr std::uint32_t short_lives_max = 3;
    static constexpr time_ms retry_websocket_ms = 5 * 60'000;

    // A WebSocket that worked before is more likely to meet a server that is down than a proxy that blocks
    // it. It gets more attempts then, and also when SSE did not get through.
    std::uint32_t patience() const { return websocket_worked_ ? 4 : 1; }

    void use_websocket() {
        next_ = transport::websocket;
        websocket_failures_ = 0;
    }

    transport_choice choice_;
    transport next_;
    bool websocket_worked_ = false;
    std::uint32_t websocket_failures_ = 0;
    std::uint32_t short_lives_ = 0;
    time_ms opened_at_ = 0;
};

}  // namespace pulsewire::client
