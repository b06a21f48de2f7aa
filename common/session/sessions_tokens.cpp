// The part of the sessions that deals with tokens (docs/protocol.md 4.21 to 4.23): each token that a client
// shows goes to the shell to be verified, and the outcome decides what the session may do from then on.

#include "common/session/credit.hpp"
#include "common/session/guard.hpp"
#include "common/session/sessions.hpp"
#include "common/session/token_time.hpp"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

namespace pulsewire::hub {
namespace {

// In commands: a signature costs the server more than any command.
constexpr std::uint32_t commands_per_refresh = 100;

}  // namespace

// The lines behind it wait, so that no command is carried out by somebody unknown meanwhile.
void sessions::show_token(session& s, const command& c) {
    if (s.shown == nullptr) s.shown = std::make_unique<credentials>();
    s.shown->verifying = ++last_verification_;
    s.shown->id = c.id;
    output_.verifications.push_back({s.connection, s.shown->verifying, std::string(c.token)});
}

void sessions::on_refresh(session& s, const command& c, instant now) {
    // Somebody unknown who signs in does so by a new connection, as another session.
    if (s.who() == nullptr)
        return answers_.error(s, c.id, error_code::forbidden, "this connection has no token to refresh", now);
    const std::uint32_t price = std::min(commands_per_refresh, config_.bounds.commands_per_second);
    if (price > 1 && !take_credit(s, price - 1, config_.bounds, credit_clock(now)))
        return refuse_for_rate(s, c.id, "too many refreshes per second", now);
    show_token(s, c);
}

void sessions::verified(
    std::uint64_t connection, std::uint64_t number, access::verdict outcome, instant now
) {
    session* s = table_.find(connection);
    if (s == nullptr || s->shown == nullptr || s->shown->verifying != number) return;
    s->shown->verifying = 0;
    const std::uint64_t id = s->shown->id;
    // Between the verification and now its time may have come.
    if (outcome.who != nullptr && outcome.who->expires_ms + token_grace_ms <= now.wall_ms)
        outcome = {nullptr, false, true};
    if (outcome.who == nullptr) return proves_nothing(*s, id, outcome, now);
    if (!s->welcome) {
        adopt(*s, std::move(outcome.who), now);
        return greet(*s, id, now);
    }
    if (outcome.who->user != s->user())
        return answers_.error(*s, id, error_code::forbidden, "the token is of another user", now);
    const access::principal_ptr before = s->shown->who;
    adopt(*s, std::move(outcome.who), now);
    answers_.send(*s, make_refreshed(id, counts_for_ms(*s->who(), now)), now);
    recheck(*s, now);
    for (const std::string& channel : s->who()->subscribe)
        if (std::count(before->subscribe.begin(), before->subscribe.end(), channel) == 0)
            offer(*s, channel, now);
}

void sessions::proves_nothing(session& s, std::uint64_t id, const access::verdict& why, instant now) {
    constexpr std::string_view no_keys = "tokens cannot be verified now; try again later";
    constexpr std::string_view not_valid = "the token is not valid here";
    constexpr std::string_view expired = "the token has expired or was revoked";
    if (s.welcome) {
        const error_code code = why.try_later ? error_code::overloaded : error_code::unauthorized;
        return answers_.error(s, id, code, why.try_later ? no_keys : why.expired ? expired : not_valid, now);
    }
    if (why.try_later) return end(s, close_code::try_again_later, no_keys, now);
    if (why.expired) return end(s, close_code::token_expired, expired, now);
    end(s, close_code::unauthorized, not_valid, now);
}

void sessions::adopt(session& s, access::principal_ptr who, instant now) {
    if (s.shown == nullptr) s.shown = std::make_unique<credentials>();
    s.shown->who = std::move(who);
    s.shown->ends_ms = now.monotonic_ms + token_grace_ms +
                       std::min(s.shown->who->expires_ms - now.wall_ms, token_counts_ms_max);
}

// What the session does on channels, if the new token does not permit it any more, ends.
void sessions::recheck(session& s, instant now) {
    subscriptions_.recheck(s, now);
    requests_.recheck(s, now);
}

void sessions::recheck_all(instant now) {
    for (const std::uint64_t connection :
         table_.those([](const session& s) { return !s.subscriptions.empty(); }))
        if (session* const s = table_.find(connection); s != nullptr) recheck(*s, now);
}

// The permission for a query may have ended while its owner made the answer.
bool sessions::may_have(const session& s, const message& answer) const {
    if (answer.kind == message_kind::error) return true;
    const operation wanted = answer.kind == message_kind::history ? operation::history : operation::presence;
    return permitted(s, answer.channel(), config_.options_of(answer.channel())).has(wanted);
}

void sessions::on(revoke&& m, instant now) {
    const auto concerned =
        table_.those([&](const session& s) { return s.who() != nullptr && m.concerns(*s.who()); });
    for (const std::uint64_t connection : concerned) {
        session& s = *table_.find(connection);
        const std::int64_t ends_ms = now.monotonic_ms + m.within_ms;
        if (m.within_ms == 0) {
            end(s, m.code, "the token was revoked", now, "revoked");
        } else if (ends_ms < s.shown->ends_ms) {
            s.shown->ends_ms = ends_ms;
            answers_.send(s, make_refresh_wanted(m.within_ms, "revoked"), now);
        }
    }
}

}  // namespace pulsewire::hub
