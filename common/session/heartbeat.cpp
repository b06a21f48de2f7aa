#include "common/session/heartbeat.hpp"

#include "common/session/subscribers.hpp"

#include <algorithm>

namespace pulsewire::hub {
namespace {

// The time of the last message, sent to the session alone or to a channel that it is subscribed to.
std::int64_t last_sent_ms(const session& s) {
    std::int64_t last = s.sent_ms;
    for (const subscription* sub : s.subscriptions)
        if (subscriber_table::entry_of(*sub).live) last = std::max(last, sub->where->delivered_ms);
    return last;
}

}  // namespace

duty duty_of(const session& s, const limits& bounds, std::int64_t ms) {
    if (s.speaks == face::api) return duty::none;
    if (s.who() != nullptr && ms >= s.shown->ends_ms) return duty::end_expired;
    if (!s.welcome && ms - s.opened_ms >= bounds.connect_timeout_ms) return duty::end_unconnected;
    // The subscriptions are looked through only when nothing was sent to the session alone for that long.
    const bool quiet = ms - s.sent_ms >= bounds.ping_ms && ms - last_sent_ms(s) >= bounds.ping_ms;
    // A plain event stream has no way to answer, and clients of before say nothing over SSE, so their silence
    // means nothing.
    const bool answers = s.speaks == face::protocol || s.speaks == face::plain_websocket ||
                         (s.speaks == face::protocol_stream && s.pongs);
    if (!answers) return quiet ? duty::ping : duty::none;
    const std::int64_t silence = ms - s.heard_ms;
    // A ping also goes out when the peer is silent although much is sent to it: a
    // dead peer takes bytes for a while.
    if (!s.pinged) return quiet || silence >= bounds.ping_ms ? duty::ping : duty::none;
    return silence >= bounds.ping_ms + bounds.pong_ms ? duty::end_silent : duty::none;
}

}  // namespace pulsewire::hub
