// What the passing of time and the end of a server ask of the hub: pings, deadlines, sending clients away.

#include "common/base/random.hpp"
#include "common/hub/hub.hpp"
#include "common/hub/message_text.hpp"

#include <algorithm>

namespace pulsewire::hub {
namespace {

// What the passing of time asks of a session.
enum class duty : std::uint8_t { none, ping, end_unconnected, end_silent };

// When something was sent last: to the session alone, or to a channel that it is subscribed to.
std::int64_t last_sent_ms(const session& s) {
    std::int64_t last = s.sent_ms;
    for (const subscription* sub : s.subscriptions)
        if (subscriber_table::entry_of(*sub).live) last = std::max(last, sub->where->delivered_ms);
    return last;
}

duty duty_of(const session& s, const limits& bounds, std::int64_t ms) {
    if (s.speaks == face::api) return duty::none;
    if (!s.welcome && ms - s.opened_ms >= bounds.connect_timeout_ms) return duty::end_unconnected;
    const bool quiet = ms - s.sent_ms >= bounds.ping_ms && ms - last_sent_ms(s) >= bounds.ping_ms;
    if (s.speaks != face::protocol && s.speaks != face::plain_websocket)
        return quiet ? duty::ping : duty::none;
    const std::int64_t silence = ms - s.heard_ms;
    if (!s.pinged) return quiet || silence >= bounds.ping_ms ? duty::ping : duty::none;
    return silence >= bounds.ping_ms + bounds.pong_ms ? duty::end_silent : duty::none;
}

bool is_overdue(const request_in_flight& r, std::int64_t ms) {
    return ms >= r.due_ms;
}

}  // namespace

void hub::tick(instant now) {
    sweep_sessions(now);
    sweep_channels(now);
    idempotency_.trim(now.monotonic_ms);
}

// Those who have a duty are few; they are served in the order of their ids, so that a run can be repeated
// exactly.
void hub::sweep_sessions(instant now) {
    const std::int64_t ms = now.monotonic_ms;
    std::vector<std::uint64_t> due;
    for (const auto& [connection, s] : sessions_) {
        const auto overdue = [&](const request_in_flight& r) { return is_overdue(r, ms); };
        std::erase_if(s->questions, [&](const question& q) { return ms >= q.due_ms; });
        if (duty_of(*s, config_.bounds, ms) != duty::none ||
            std::any_of(s->requests.begin(), s->requests.end(), overdue))
            due.push_back(connection);
    }
    std::sort(due.begin(), due.end());
    for (const std::uint64_t connection : due) {
        session& s = *find(connection);
        expire_requests(s, now);
        switch (duty_of(s, config_.bounds, ms)) {
            case duty::none:
                break;
            case duty::ping:
                s.pinged = true;
                send(s, make_ping(), now);
                break;
            case duty::end_unconnected:
                end(s, close_code::connect_timeout, "no connect frame came", now);
                break;
            case duty::end_silent:
                end(s, close_code::no_pong, "no answer to the ping", now);
                break;
        }
    }
}

void hub::expire_requests(session& s, instant now) {
    for (const request_in_flight& r : s.requests)
        if (is_overdue(r, now.monotonic_ms))
            answer_error(
                s, r.id, error_code::timeout, "no answer within " + std::to_string(r.timeout_ms) + " ms", now
            );
    std::erase_if(s.requests, [&](const request_in_flight& r) { return is_overdue(r, now.monotonic_ms); });
}

// In an order that is the same on every platform.
std::vector<std::uint64_t> hub::connections() const {
    std::vector<std::uint64_t> all;
    for (const auto& [connection, s] : sessions_) all.push_back(connection);
    std::sort(all.begin(), all.end());
    return all;
}

void hub::send_away(session& s, close_code code, std::uint32_t spread_ms, instant now) {
    // At least 1: 0 would not be told.
    const auto after = static_cast<std::uint32_t>(next_random(random_, spread_ms) + 1);
    if (s.speaks != face::api)
        send(s, make_close(code, after, "the server restarts", config_.drain_url), now);
    output_.closes.push_back({s.connection, code, "the server restarts"});
}

void hub::drain(close_code code, std::uint32_t spread_ms, instant now) {
    const std::vector<std::uint64_t> all = connections();
    for (const std::uint64_t connection : all) send_away(*find(connection), code, spread_ms, now);
    for (const std::uint64_t connection : all) forget(*find(connection), now);
}

void hub::hand_over(close_code code, std::uint32_t spread_ms, instant now) {
    for (const std::uint64_t connection : connections()) {
        session& s = *find(connection);
        if (s.welcome && (s.speaks == face::protocol || s.speaks == face::protocol_stream)) {
            const auto after = static_cast<std::uint32_t>(next_random(random_, spread_ms) + 1);
            send(s, make_drain(after, config_.drain_url), now);
        } else if (s.speaks != face::api) {
            send_away(s, code, spread_ms, now);
            forget(s, now);
        }
    }
}

}  // namespace pulsewire::hub
