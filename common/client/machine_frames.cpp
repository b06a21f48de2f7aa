// The part of the machine that handles the lines of the server (docs/protocol.md section 4).

#include "common/client/machine.hpp"

namespace pulsewire::client {
namespace {

using namespace std::string_view_literals;

// The wait before a subscribe that the server could not serve (overloaded, rate_limited) is sent again.
constexpr time_ms postponed_ms = 1'000;

// The wait after a command that was refused for the rate.
constexpr time_ms refused_pause_ms = 250;

// The recovery of dropped publications (5.5): when they are dropped again, the wait before the next recovery
// starts at resync_min_ms and doubles up to resync_max_ms. After resync_quiet_ms without a drop, the next
// recovery is immediate again.
constexpr std::uint32_t resync_min_ms = 2'000;
constexpr std::uint32_t resync_max_ms = 16'000;
constexpr time_ms resync_quiet_ms = 60'000;

}  // namespace

void machine::line(std::uint32_t attempt, std::string_view header, std::uint32_t line_bytes, time_ms now) {
    // Any line is a sign of life, also a faulty one. Lines of a transport that was given up are ignored.
    const connections::role from = connections_.heard(attempt, now);
    if (from == connections::role::none) return;
    server_frame f;
    const bool is_frame = read_server_frame(header, line_bytes, f);
    if (from == connections::role::retiring) {
        if (is_frame) on_late_answer(f);
        return;
    }
    clock_.arrived(line_bytes);
    show_life_when_due(now);
    // The server writes frames in one form only (3.2), so anything else means that the connection is broken.
    if (!is_frame) return drop_transport(attempt, close_code::protocol_error, now);
    switch (f.op) {
        case server_op::message:
            return on_message(f, header, now);
        case server_op::welcome:
            return on_welcome(f, header, now);
        case server_op::subscribed:
            return on_subscribed(f, header);
        case server_op::published:
            return on_answer(f, action_kind::published);
        case server_op::response:
        case server_op::history:
            return on_answer(f, action_kind::answered);
        case server_op::presence:
            if (f.id != 0) return on_answer(f, action_kind::answered);
            return on_presence(f, header);
        case server_op::join:
        case server_op::leave:
            return on_presence(f, header);
        case server_op::gap:
            return on_gap(f, header, now);
        case server_op::error:
            return on_error(f, header, now);
        case server_op::close:
        case server_op::drain:
            return on_farewell(f, header, now);
        case server_op::refreshed:
            if (f.id == refresh_id_) token_counts(f, now);
            return;
        case server_op::refresh_wanted:
            return on_refresh_wanted(f, header, now);
        case server_op::request:
        case server_op::cancel:
            return on_asked(f, header, attempt);
        case server_op::ping:
            connections_.beats();
            // Over SSE, too, where it costs a POST: nothing else tells the server of a client that is gone.
            return show_life(now);
        case server_op::unsubscribed:
            return on_unsubscribed(f, header);
        case server_op::subscribe:
            if (channels_.with_channel(f.channel.of(header)) == nullptr)
                act(action_kind::offered).type = f.channel;
            return;
        case server_op::position:
            return on_position(f, header, now);
        case server_op::snapshot_wanted:
            if (subscription* s = channels_.with_channel(f.channel.of(header)); s != nullptr)
                act(action_kind::snapshot_wanted, channels_.id_of(*s));
            return;
        case server_op::degraded:
        case server_op::restored:
            return on_standing(f.op == server_op::degraded, f);
        case server_op::pong:
        case server_op::unknown:
            return;
    }
}

std::int32_t machine::publication(
    std::uint32_t attempt, std::string_view channel, std::uint64_t offset, std::uint32_t line_bytes,
    time_ms now
) {
    // Taken only in the simplest case, the next publication of a live subscription.
    // Everything else needs the whole line.
    if (connections_.heard(attempt, now) != connections::role::serving) return 0;
    if (channel.empty()) {
        show_life_when_due(now);
        return 0;
    }
    subscription* s = channels_.with_channel(channel);
    if (s == nullptr || s->state != subscription_state::live || offset != s->offset + 1) return 0;
    const auto id = static_cast<std::int32_t>(channels_.id_of(*s));
    clock_.arrived(line_bytes);
    return advance(*s) ? -id : id;
}

void machine::on_welcome(const server_frame& f, std::string_view header, time_ms now) {
    // A second welcome on one connection has no meaning.
    if (connections_.has_welcome()) return;
    // What waits here was written by another user, and must not be sent under this one's name.
    if (!name_.empty() && !(user_ == f.user.of(header))) {
        end(static_cast<std::uint16_t>(close_code::unauthorized));
        return;
    }
    name_ = f.session.of(header);
    user_ = f.user.of(header);
    if (f.ping_ms != 0) ping_ms_ = static_cast<std::uint32_t>(f.ping_ms);
    connections_.welcomed(f.ping_ms != 0 ? static_cast<std::uint32_t>(f.ping_ms + f.pong_ms) : 0);
    if (f.message_bytes_max != 0) message_bytes_max_ = static_cast<std::uint32_t>(f.message_bytes_max);
    if (state_ != state::open) {
        state_since_ = now;
        picker_.opened(now);
        action& told = change_state(state::open);
        told.session = f.session;
        told.user = f.user;
    }
    pacer_.begin(static_cast<std::uint32_t>(f.commands_per_second), now);
    on_standing(f.degraded, f);
    token_counts(f, now);
    send_waiting(now);
    // The new connection works, so the old one stays only for late answers.
    connections_.linger(now);
    close_retiring_unless_awaited();
    rearm(now);
}

bool machine::advance(subscription& s) {
    ++s.offset;
    if (s.replay_left == 0) return false;
    --s.replay_left;
    return true;
}

void machine::on_message(const server_frame& f, std::string_view header, time_ms now) {
    subscription* s = channels_.with_channel(f.channel.of(header));
    if (s == nullptr || s->state != subscription_state::live) return;
    const bool own = f.except.size != 0 && f.except.of(header) == name_;
    bool replayed = false;
    if (f.parts != 0) return on_snapshot(*s, f);
    if (f.has_offset) {
        // A duplicate (5.3).
        if (f.offset <= s->offset) return;
        if (f.offset != s->offset + 1) {
            // Publications are missing (5.4): recover from our position. The publications that
            // arrive until then will be replayed.
            send_unsubscribe(*s);
            return send_subscribe(*s, now);
        }
        replayed = advance(*s);
    }
    // Whoever has the publications needs no state that was made of them.
    if (f.covers != 0) return;
    // Own messages published without echo only advance the position (4.10).
    if (own) return;
    act(action_kind::deliver, channels_.id_of(*s), f).replayed = replayed;
}

// The place behind the publications that the snapshot stands for is taken with its last part, so that a
// connection which breaks before it begins with the snapshot again.
void machine::on_snapshot(subscription& s, const server_frame& f) {
    action& a = act(action_kind::snapshot, channels_.id_of(s), f);
    a.replayed = true;
    a.attempt = static_cast<std::uint32_t>(f.part);
    a.delay_ms = static_cast<std::uint32_t>(f.parts);
    if (!f.has_offset) return;
    s.offset = f.offset;
    if (s.replay_left != 0) --s.replay_left;
}

subscription* machine::asked_with(std::uint64_t command_id) {
    for (subscription& s : channels_.slots())
        if (s.state == subscription_state::asked && s.command_id == command_id) return &s;
    return nullptr;
}

void machine::on_subscribed(const server_frame& f, std::string_view header) {
    subscription* s = channels_.with_channel(f.channel.of(header));
    if (s == nullptr || s->state != subscription_state::asked || s->command_id != f.id) return;
    action& a = act(action_kind::subscribed, channels_.id_of(*s), f);
    // A first subscribe without a position had nothing to recover.
    if (s->has_position) a.outcome = f.recovered ? recovery_outcome::recovered : recovery_outcome::lost;
    s->state = subscription_state::live;
    s->has_position = true;
    s->epoch = f.epoch.of(header);
    s->offset = f.offset;
    s->replay_left = static_cast<std::uint32_t>(f.replay);
}

// The log was renewed under a live subscription, or lost its end (4.27).
void machine::on_position(const server_frame& f, std::string_view header, time_ms now) {
    subscription* s = channels_.with_channel(f.channel.of(header));
    if (s == nullptr || s->state != subscription_state::live) return;
    if (s->state_wanted && !f.recovered) {
        // The state of another log begins with its snapshot.
        send_unsubscribe(*s);
        return send_subscribe(*s, now);
    }
    s->epoch = f.epoch.of(header);
    // Some were left out for this client before; they have the same places under the new name.
    if (f.recovered && f.offset > s->offset) return resynchronise(*s, now);
    s->offset = f.offset;
    s->replay_left = 0;
    action& a = act(action_kind::subscribed, channels_.id_of(*s), f);
    a.outcome = f.recovered ? recovery_outcome::recovered : recovery_outcome::lost;
}

void machine::on_standing(bool degraded, const server_frame& f) {
    if (degraded == degraded_) return;
    degraded_ = degraded;
    act(action_kind::degraded, degraded ? 1 : 0, f);
}

void machine::on_presence(const server_frame& f, std::string_view header) {
    subscription* s = channels_.with_channel(f.channel.of(header));
    if (s == nullptr || s->state != subscription_state::live) return;
    s->awaits_members = s->awaits_members && f.op != server_op::presence;
    const action_kind kind = f.op == server_op::join    ? action_kind::joined
                             : f.op == server_op::leave ? action_kind::left
                                                        : action_kind::presence;
    act(kind, channels_.id_of(*s), f);
}

void machine::on_asked(const server_frame& f, std::string_view header, std::uint32_t attempt) {
    subscription* s = channels_.with_channel(f.channel.of(header));
    if (s == nullptr) return;
    action& a = act(action_kind::asked, channels_.id_of(*s));
    a.attempt = attempt;
    a.offset = f.id;
    a.session = f.session;
    a.user = f.user;
    a.type = f.type;
    a.payload = f.payload;
}

// The answer to an unsubscribe has an id and means nothing. Without one, the subscription has lost its
// permission (4.23).
void machine::on_unsubscribed(const server_frame& f, std::string_view header) {
    subscription* s = channels_.with_channel(f.channel.of(header));
    if (f.id != 0 || s == nullptr) return;
    const std::uint32_t id = channels_.id_of(*s);
    channels_.remove(id);
    act(action_kind::refused, id).local_code = error_code::forbidden;
}

void machine::on_gap(const server_frame& f, std::string_view header, time_ms now) {
    subscription* s = channels_.with_channel(f.channel.of(header));
    if (s == nullptr || s->state != subscription_state::live || f.offset <= s->offset) return;
    // Replaced publications need no recovery (5.6); every other reason counts as dropped (5.5).
    if (f.reason.of(header) != "replaced"sv) return resynchronise(*s, now);
    s->offset = f.offset;
    act(action_kind::gap, channels_.id_of(*s), f);
}

// Recovers dropped publications from the position before them: at once the first time, then after a growing
// wait while it keeps happening (5.5). While it waits, the machine is not subscribed, which relieves a
// connection that is too slow for the channel. The history keeps the publications in the meantime, or else
// the recovery reports the loss.
void machine::resynchronise(subscription& s, time_ms now) {
    const bool kept_up = s.resynced_at == 0 || now - s.resynced_at >= resync_quiet_ms;
    const std::uint32_t longer = s.resync_wait_ms * 2 < resync_min_ms ? resync_min_ms : s.resync_wait_ms * 2;
    s.resync_wait_ms = kept_up ? 0 : longer < resync_max_ms ? longer : resync_max_ms;
    const time_ms earliest = s.resynced_at + s.resync_wait_ms;
    s.resynced_at = earliest > now ? earliest : now;
    send_unsubscribe(s);
    if (s.resynced_at == now) return send_subscribe(s, now);
    s.state = subscription_state::postponed;
    s.due = s.resynced_at;
    arm(s.due, now);
}

void machine::on_answer(const server_frame& f, action_kind kind) {
    command* c = outbox_.with_id(f.id);
    if (c == nullptr) return;
    act(kind, c->id, f);
    finish(*c);
}

// A line on the old connection of a hand-over: only answers to requests left behind there count.
void machine::on_late_answer(const server_frame& f) {
    const command* c = outbox_.with_id(f.id);
    if (c == nullptr || !c->left_behind) return;
    if (f.op == server_op::response) on_answer(f, action_kind::answered);
    if (f.op == server_op::error) on_answer(f, action_kind::failed);
    if (connections_.has_welcome()) close_retiring_unless_awaited();
}

void machine::on_error(const server_frame& f, std::string_view header, time_ms now) {
    const std::string_view code = f.code.of(header);
    action_kind kind = action_kind::failed;
    std::uint32_t id = 0;
    if (subscription* s = asked_with(f.id); s != nullptr && f.id != 0) {
        const bool held =
            code == name_of(error_code::already_subscribed);  // an earlier unsubscribe was not carried out
        if (held || code == name_of(error_code::overloaded) || code == name_of(error_code::rate_limited) ||
            code == name_of(error_code::broker_unavailable)) {
            // The server still has the old subscription; it ends before the next attempt.
            if (held) send_unsubscribe(*s);
            s->state = subscription_state::postponed;
            s->due = now + postponed_ms;
            return arm(s->due, now);
        }
        kind = action_kind::refused;
        id = channels_.id_of(*s);
        channels_.remove(id);
    } else if (command* c = outbox_.with_id(f.id); c != nullptr) {
        if (code == name_of(error_code::rate_limited) && c->when_lost == after_loss::repeat) {
            // Publishes that were sent behind it are refused like it (protocol 4.20), so all of them are sent
            // again behind it. Their own refusals are on their way and come before that.
            for (command& behind : outbox_)
                if (!c->is_query && behind.id > c->id && !behind.is_query &&
                    behind.when_lost == after_loss::repeat && !behind.left_behind)
                    behind.sent = false;
            c->sent = false;
            pacer_.spend_all(now);
            paced_until_ = std::max(pacer_.ready_at(price_of(*c), now), now + refused_pause_ms);
            return arm(paced_until_, now);
        }
        id = c->id;
        finish(*c);
    } else if (refresh_failed(f, now)) {
        return;
    } else if (f.id != 0) {
        return;  // the answer to a command that the application no longer waits for
    }
    act(kind, id, f);
}

// The server ends this connection now (7.1) or soon (7.3). While the next
// connection opens, this changes nothing.
void machine::on_farewell(const server_frame& f, std::string_view header, time_ms now) {
    if (connections_.opening() != 0) return;
    // Without a `url` the address stays as it is.
    if (f.url.size != 0) elsewhere_ = f.url.of(header);
    if (f.reason.of(header) == "revoked"sv) token_reason_ = token_reason::revoked;
    if (f.op == server_op::close) return lost(static_cast<std::uint16_t>(f.close), now, &f);
    connections_.hand_over_at(now + static_cast<time_ms>(f.after_ms) + 1);
    rearm(now);
}

}  // namespace pulsewire::client
