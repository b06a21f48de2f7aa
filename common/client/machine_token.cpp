// The part of the machine that keeps a token (docs/protocol.md 4.21, 4.22). It holds the newest one, and asks
// the host for another when there is none, when that one ends soon, and when the server does not take it.
// There is never more than one open question (a later one replaces it); its answer serves whatever waits for
// a token by then, be it a connection or a refresh, so that the two never start a chain each.

#include "common/client/machine.hpp"

#include <algorithm>

namespace pulsewire::client {
namespace {

using namespace std::string_view_literals;

// A token that ends sooner is not worth a connection.
constexpr time_ms margin_ms = 10'000;
// The time for which a token is taken for a good one before a server has told how long it counts.
constexpr time_ms untold_ms = 60'000;
// The refresh does not come sooner, however soon the token ends.
constexpr std::uint64_t refresh_ms_min = 1'000;
// The moment of a refresh, in thousandths of the time for which the token counts.
constexpr std::uint32_t refresh_earliest = 800;
constexpr std::uint32_t refresh_spread = 101;

}  // namespace

void machine::open_transport(time_ms now) {
    if (!options_.tokens || (!token_.empty() && now < token_until_)) return open_now(now);
    // Its time has come while there was no connection.
    if (!token_.empty() && !token_is_new_) token_reason_ = token_reason::expired;
    opening_awaits_token_ = true;
    ask_token();
}

void machine::ask_token() {
    refresh_at_ = never;
    if (ask_ != 0) return;
    ask_ = ++last_ask_;
    act(action_kind::need_token, static_cast<std::uint32_t>(token_reason_)).attempt = ask_;
}

// The answer on its way may be older than what has just ended the token.
void machine::withdraw_question() {
    if (ask_ == 0) return;
    ask_ = 0;
    act(action_kind::need_token);
}

void machine::ask_token_later(time_ms now) {
    refresh_at_ = now + backoff_.fail();
    arm(refresh_at_, now);
}

void machine::token(std::uint32_t ask, std::string_view token, time_ms now) {
    if (ask != ask_ || ask == 0) return;
    ask_ = 0;
    token_ = token;
    is_nobody_ = token.empty();
    token_until_ = now + untold_ms;
    token_is_new_ = true;
    // If no connection takes it along, the one that goes on needs one after all.
    if (connections_.serving() != 0) refresh_at_ = now + margin_ms;
    if (opening_awaits_token_) {
        opening_awaits_token_ = false;
        return open_now(now);
    }
    if (!can_send()) return rearm(now);
    show_new_token(now);
}

// The connection that serves gets it by a refresh.
void machine::show_new_token(time_ms now) {
    token_shown_at_ = now;
    refresh_id_ = ++last_id_;
    begin_send("refresh"sv).number("id"sv, refresh_id_).name("token"sv, token_).end();
    end_send();
}

void machine::token_failed(std::uint32_t ask, time_ms now) {
    if (ask != ask_ || ask == 0) return;
    ask_ = 0;
    opening_awaits_token_ = false;
    if (state_ == state::connecting && connections_.newest() == 0) return come_back_later(0, now, nullptr);
    // In a hand-over the connection that serves goes on, until the server ends it.
    if (state_ == state::open) ask_token_later(now);
}

// The server has taken the token, in a welcome or a refresh. Its time is counted from when the token was
// shown, since the word may have been long on its way.
void machine::token_counts(const server_frame& f, time_ms now) {
    if (!options_.tokens) return;
    refresh_id_ = 0;
    token_is_new_ = false;
    token_reason_ = token_.empty() ? token_reason::connect : token_reason::expiring;
    token_until_ = refresh_at_ = never;
    if (f.expires_in_ms == 0) return;
    const std::uint64_t part = refresh_earliest + backoff_.draw(refresh_spread);
    token_until_ = token_shown_at_ + static_cast<time_ms>(f.expires_in_ms) - margin_ms;
    refresh_at_ =
        token_shown_at_ + static_cast<time_ms>(std::max(f.expires_in_ms * part / 1'000, refresh_ms_min));
    arm(refresh_at_, now);
}

// A token is revoked with notice, mostly that of many clients at once: they do not all ask at once.
void machine::on_refresh_wanted(const server_frame& f, std::string_view header, time_ms now) {
    if (!options_.tokens) return;
    withdraw_question();
    if (f.reason.of(header) == "revoked"sv) token_reason_ = token_reason::revoked;
    refresh_at_ = now + backoff_.draw(static_cast<std::uint32_t>(f.after_ms / 2));
    arm(refresh_at_, now);
}

// False when the error is not about the refresh. The connection keeps its old token.
bool machine::refresh_failed(const server_frame& f, time_ms now) {
    if (f.id == 0 || f.id != refresh_id_) return false;
    refresh_id_ = 0;
    // Kept, because a connection that opens now must not open as nobody.
    token_until_ = now;
    token_reason_ = token_reason::refused;
    ask_token_later(now);
    return true;
}

bool machine::token_lost(std::uint16_t close) {
    opening_awaits_token_ = false;
    refresh_at_ = never;
    const bool refused = close == static_cast<std::uint16_t>(close_code::unauthorized);
    const bool expired = close == static_cast<std::uint16_t>(close_code::token_expired);
    // A token that the host has just made is not made better by a second one.
    if (!expired && (!refused || token_is_new_)) return false;
    if (token_.empty()) return false;
    if (refused) {
        token_reason_ = token_reason::refused;
    } else if (token_reason_ != token_reason::revoked) {
        token_reason_ = token_reason::expired;
    }
    withdraw_question();
    token_.clear();
    return true;
}

}  // namespace pulsewire::client
