#include "common/client/machine.hpp"

namespace pulsewire::client {
namespace {

using namespace std::string_view_literals;
using writer = basic_line_writer<text_buffer>;

constexpr std::uint16_t number(close_code code) {
    return static_cast<std::uint16_t>(code);
}

// How long the server may take before a subscribe that it postponed (overloaded, rate_limited) is sent again.
constexpr time_ms postponed_ms = 1'000;

// After publications were dropped (5.4): between asking for them and asking again, where it happens again, at
// least so long, then twice as long, and so on; and after how long without it starts from the beginning.
constexpr std::uint32_t resync_min_ms = 2'000;
constexpr std::uint32_t resync_max_ms = 16'000;
constexpr time_ms resync_quiet_ms = 60'000;

}  // namespace

machine::machine(const options& opts, std::string_view session, std::uint64_t seed)
    : options_(opts),
      session_(session),
      life_(static_cast<std::uint32_t>(seed)),
      picker_(opts.transports),
      backoff_(opts.backoff, seed),
      connections_(opts.open_timeout_ms) {}

// --- what the application wants ---

void machine::start(time_ms now) {
    if (state_ == state::idle) connect(now);
}

void machine::stop(time_ms) {
    if (state_ != state::closed) end(number(close_code::normal));
}

std::uint32_t machine::subscribe(std::string_view channel, const subscribe_options& how, time_ms now) {
    const std::uint32_t id = channels_.add(channel);
    subscription& s = *channels_.with_id(id);
    s.latest = how.latest;
    s.presence = how.presence;
    s.payload_of = how.payload_of;
    s.has_position = !how.epoch.empty();
    s.epoch = how.epoch;
    s.offset = how.offset;
    if (can_send()) send_subscribe(s, now);
    return id;
}

void machine::unsubscribe(std::uint32_t subscription_id, time_ms) {
    subscription* s = channels_.with_id(subscription_id);
    if (s == nullptr) return;
    if (s->state == subscription_state::live || s->state == subscription_state::asked) send_unsubscribe(*s);
    channels_.remove(subscription_id);
}

std::uint32_t machine::publish(
    std::string_view channel, std::string_view type, std::uint32_t payload_bytes, const publish_options& how,
    time_ms now
) {
    command* c = new_command(payload_bytes, how.timeout_ms, now);
    if (c == nullptr) return 0;
    c->has_payload = true;
    writer w(c->header, "publish"sv);
    w.number("id"sv, c->id);
    if (how.transient) {
        c->when_lost = after_loss::never;
        w.flag("transient"sv, true);
    } else if (!how.key.empty()) {
        w.name("key"sv, how.key);
    } else {
        text_buffer key(std::string_view{session_});
        key.push_back('-');
        append_number(key, life_);
        key.push_back('-');
        append_number(key, c->id);
        w.name("key"sv, key);
    }
    if (!how.echo) w.flag("echo"sv, false);
    if (!how.conflate.empty()) w.name("conflate"sv, how.conflate);
    w.name("channel"sv, channel).name("type"sv, type).payload_key();
    return dispatch(*c, now);
}

std::uint32_t machine::request(
    std::string_view type, std::uint32_t payload_bytes, std::uint32_t timeout_ms, time_ms now,
    std::string_view channel, std::string_view to
) {
    command* c = new_command(payload_bytes, timeout_ms, now);
    if (c == nullptr) return 0;
    c->has_payload = true;
    c->awaited_by_server = true;
    c->when_lost = after_loss::fail;
    writer w(c->header, "request"sv);
    w.number("id"sv, c->id);
    if (timeout_ms != 0) w.number("timeout_ms"sv, timeout_ms);
    if (!channel.empty()) w.name("channel"sv, channel).name("to"sv, to);
    w.name("type"sv, type).payload_key();
    return dispatch(*c, now);
}

std::uint32_t machine::history(
    std::string_view channel, std::uint32_t limit, std::uint64_t from, history_page page, time_ms now
) {
    command* c = new_command(0, 0, now);
    if (c == nullptr) return 0;
    writer w(c->header, "history"sv);
    w.number("id"sv, c->id).name("channel"sv, channel);
    if (limit != 0) w.number("limit"sv, limit);
    const auto bits = static_cast<unsigned>(page);
    if (from != 0) w.number(bits & 2 ? "time"sv : "offset"sv, from);
    if (bits & 1) w.flag("backwards"sv, true);
    w.end();
    return dispatch(*c, now);
}

std::uint32_t machine::presence(std::string_view channel, time_ms now) {
    command* c = new_command(0, 0, now);
    if (c == nullptr) return 0;
    writer(c->header, "presence"sv).number("id"sv, c->id).name("channel"sv, channel).end();
    return dispatch(*c, now);
}

void machine::cancel(std::uint32_t id, time_ms) {
    command* c = outbox_.with_id(id);
    if (c == nullptr) return;
    if (c->sent && c->awaited_by_server) {
        begin_send("cancel"sv).number("id"sv, c->id).end();
        end_send();
    }
    finish(*c);
}

// --- what happened outside ---

void machine::transport_opened(std::uint32_t attempt, time_ms now) {
    if (!connections_.opened(attempt)) return;
    unbind(true);
    begin_send("connect"sv).number("version"sv, 1).name("session"sv, session_).end();
    end_send();
    send_waiting(now);
}

void machine::transport_closed(std::uint32_t attempt, std::uint16_t close, time_ms now) {
    switch (connections_.ended(attempt)) {
        case connections::loss::none:
            return;
        case connections::loss::retired:
            return fail_left_behind();
        case connections::loss::serving:
            return unbind();  // the next one repeats it
        case connections::loss::opening:
            elsewhere_.clear();  // there is nobody yet to come back to
            return send_waiting(now);
        case connections::loss::complete:
            return lost(close, now);
    }
}

void machine::line(std::uint32_t attempt, std::string_view header, std::uint32_t line_bytes, time_ms now) {
    const connections::role from = connections_.heard(attempt, now);
    if (from == connections::role::none) return;
    server_frame f;
    const bool is_frame = read_server_frame(header, line_bytes, f);
    if (from == connections::role::retiring) {
        if (is_frame) on_late_answer(f);
        return;
    }
    if (!is_frame) return drop_transport(attempt, number(close_code::protocol_error), now);
    switch (f.op) {
        case server_op::message:
            return on_message(f, header, now);
        case server_op::welcome:
            return on_welcome(f, now);
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
        case server_op::request:
        case server_op::cancel:
            return on_asked(f, header, attempt);
        case server_op::ping:
            // Over SSE nobody waits for a pong (4.15), and it would cost a POST.
            if (transport_ == transport::websocket) send_op("pong"sv);
            return;
        case server_op::unsubscribed:
        case server_op::pong:
        case server_op::unknown:
            return;
    }
}

machine::taken machine::publication(
    std::uint32_t attempt, std::uint32_t subscription_id, std::uint64_t offset, time_ms now
) {
    if (connections_.heard(attempt, now) != connections::role::serving) return taken::no;
    subscription* s = channels_.with_id(subscription_id);
    if (s == nullptr || s->state != subscription_state::live || offset != s->offset + 1) return taken::no;
    return advance(*s);
}

void machine::timer(time_ms now) {
    timer_at_ = never;
    if (connections_.must_hand_over(now)) open_transport(now);
    if (connections_.lingers_too_long(now)) close_retiring();
    if (state_ == state::waiting && now >= retry_at_) connect(now);
    expire_commands(now);
    const std::uint16_t silent = number(close_code::no_pong);
    if (now >= connections_.opening_deadline()) drop_transport(connections_.newest(), silent, now);
    if (now >= serving_deadline()) drop_transport(connections_.serving(), silent, now);
    if (connections_.serving() != 0)
        for (subscription& s : channels_.slots())
            if (s.state == subscription_state::postponed && now >= s.due) send_subscribe(s, now);
    rearm(now);
}

void machine::network_online(time_ms now) {
    if (state_ == state::waiting) return connect(now);
    if (!can_send() || !connections_.probe(now)) return;
    send_op("ping"sv);
    rearm(now);
}

// --- the connection ---

void machine::connect(time_ms now) {
    transport_ = picker_.next();
    state_since_ = now;
    change_state(state::connecting);
    open_transport(now);
}

void machine::open_transport(time_ms now) {
    close_retiring();  // two at a time are enough
    action& a = act(action_kind::open_transport);
    a.via = transport_;
    a.attempt = connections_.open(now);
    a.text_at = static_cast<std::uint32_t>(outgoing_.size());
    a.text_size = static_cast<std::uint32_t>(elsewhere_.size());
    outgoing_ += elsewhere_;
    rearm(now);
}

void machine::close_transport(std::uint32_t attempt, std::uint16_t close) {
    action& a = act(action_kind::close_transport);
    a.attempt = attempt;
    a.close = close;
}

// The transport is of no use any more: closes it and goes on as if it had been lost. Another one stays.
void machine::drop_transport(std::uint32_t attempt, std::uint16_t close, time_ms now) {
    close_transport(attempt, close);
    transport_closed(attempt, close, now);
}

// `why` is the server's own word on it, if it said one (7.1).
void machine::lost(std::uint16_t close, time_ms now, const server_frame* why) {
    if (state_ == state::open) {
        backoff_.succeeded_for(now - state_since_);
        picker_.lost(close == number(close_code::abnormal), now);
    } else if (why == nullptr) {
        picker_.failed();  // otherwise the transport let the server's word pass
        elsewhere_.clear();
    }
    close_all();
    unbind();
    std::uint32_t delay = backoff_.fail();
    if (why != nullptr && why->after_ms != 0) delay = static_cast<std::uint32_t>(why->after_ms);
    const bool final = !should_reconnect(close) || backoff_.exhausted();
    action& told = final ? end(close) : change_state(state::waiting);
    told.close = close;
    if (why != nullptr) told.message = why->message;
    if (final) return;
    told.delay_ms = delay;
    retry_at_ = now + delay;
    rearm(now);
}

void machine::close_all() {
    while (const std::uint32_t attempt = connections_.forget())
        close_transport(attempt, number(close_code::normal));
}

void machine::close_retiring() {
    if (const std::uint32_t attempt = connections_.retire())
        close_transport(attempt, number(close_code::normal));
    fail_left_behind();
}

void machine::fail_left_behind() {
    for (command& c : outbox_)
        if (!c.done && c.left_behind) fail(c, error_code::disconnected);
    outbox_.sweep();
}

void machine::close_retiring_unless_awaited() {
    for (const command& c : outbox_)
        if (!c.done && c.left_behind) return;
    close_retiring();
}

// What was bound to the transport is undone: subscriptions and commands are to be sent again, what cannot be
// repeated safely fails, or, while another transport may still bring its answer, waits for that.
void machine::unbind(bool may_be_answered) {
    for (subscription& s : channels_.slots())
        if (s.state != subscription_state::vacant) s.state = subscription_state::idle;
    for (command& c : outbox_) {
        if (c.done || !c.sent) continue;
        c.left_behind = may_be_answered && c.awaited_by_server;
        if (c.left_behind) continue;
        c.sent = false;
        if (c.when_lost != after_loss::repeat) fail(c, error_code::disconnected);
    }
    outbox_.sweep();
}

action& machine::end(std::uint16_t close) {
    close_all();
    for (command& c : outbox_)
        if (!c.done) fail(c, error_code::closed);
    outbox_.sweep();
    channels_.clear();
    action& told = change_state(state::closed);
    told.close = close;
    return told;
}

// --- sending ---

writer machine::begin_send(std::string_view op) {
    line_begin_ = static_cast<std::uint32_t>(outgoing_.size());
    return {outgoing_, op};
}

void machine::end_send(std::uint32_t payload_of) {
    action& a = act(action_kind::send);
    a.attempt = connections_.serving();
    a.text_at = line_begin_;
    a.text_size = static_cast<std::uint32_t>(outgoing_.size()) - line_begin_;
    a.payload_of = payload_of;
}

void machine::send_waiting(time_ms now) {
    for (subscription& s : channels_.slots())
        if (s.state == subscription_state::idle) send_subscribe(s, now);
    for (command& c : outbox_)
        if (!c.done && !c.sent) send_command(c, now);
}

void machine::send_op(std::string_view op) {
    begin_send(op).end();
    end_send();
}

// With an id, so that an error can be told apart: the subscription may have ended by itself on the other
// side.
void machine::send_unsubscribe(const subscription& s) {
    begin_send("unsubscribe"sv).number("id"sv, ++last_id_).name("channel"sv, s.channel).end();
    end_send();
}

void machine::send_subscribe(subscription& s, time_ms now) {
    s.command_id = ++last_id_;
    s.state = subscription_state::asked;
    s.due = now;
    s.replay_left = 0;
    writer w = begin_send("subscribe"sv);
    w.number("id"sv, s.command_id).name("channel"sv, s.channel);
    if (s.has_position) w.name("epoch"sv, s.epoch).number("offset"sv, s.offset);
    if (s.latest != 0) w.number("latest"sv, s.latest);
    if (s.presence) w.flag("presence"sv, true);
    if (s.payload_of != 0) {
        w.payload_key();
    } else {
        w.end();
    }
    end_send(s.payload_of);
    arm(now + options_.command_timeout_ms, now);
}

void machine::send_command(command& c, time_ms now) {
    c.sent = true;
    c.sent_at = now;
    line_begin_ = static_cast<std::uint32_t>(outgoing_.size());
    outgoing_ += c.header;
    end_send(c.has_payload ? c.id : 0);
    if (!c.awaited_by_server) arm(now + options_.command_timeout_ms, now);
}

command* machine::new_command(std::uint32_t payload_bytes, std::uint32_t timeout_ms, time_ms now) {
    if (outbox_.waiting() >= options_.outbox_messages_max ||
        outbox_.bytes() + payload_bytes > options_.outbox_bytes_max)
        return nullptr;
    command& c = outbox_.add(++last_id_, payload_bytes);
    if (timeout_ms != 0) {
        c.deadline = now + timeout_ms;
        arm(c.deadline, now);
    }
    return &c;
}

// Sends the command, or leaves it waiting, or refuses it at once.
std::uint32_t machine::dispatch(command& c, time_ms now) {
    const std::uint32_t id = c.id;
    if (can_send()) {
        send_command(c, now);
    } else if (state_ == state::closed || c.when_lost == after_loss::never) {
        fail(c, state_ == state::closed ? error_code::closed : error_code::disconnected);
        outbox_.sweep();
    }
    return id;
}

void machine::finish(command& c) {
    outbox_.release(c);
    outbox_.sweep();
}

void machine::fail(command& c, error_code code) {
    act(action_kind::failed, c.id).local_code = code;
    outbox_.release(c);
}

// --- time ---

void machine::expire_commands(time_ms now) {
    for (command& c : outbox_) {
        if (!c.done && now >= c.deadline) fail(c, error_code::timeout);
    }
    outbox_.sweep();
}

time_ms machine::serving_deadline() const {
    time_ms next = connections_.silence_deadline();
    const auto at = [&](time_ms since) { next = std::min(next, since + options_.command_timeout_ms); };
    for (const subscription& s : channels_.slots())
        if (s.state == subscription_state::asked) at(s.due);
    for (const command& c : outbox_) {
        if (!c.done && c.sent && !c.awaited_by_server) at(c.sent_at);
    }
    return next;
}

void machine::arm(time_ms at, time_ms now) {
    if (timer_at_ <= at) return;
    timer_at_ = at;
    act(action_kind::set_timer).delay_ms = at > now ? static_cast<std::uint32_t>(at - now) : 0;
}

// Only needed when a timer ran out: whatever becomes due later is armed where it starts.
void machine::rearm(time_ms now) {
    time_ms next = std::min(connections_.deadline(), serving_deadline());
    const auto at = [&](time_ms t) { next = std::min(next, t); };
    if (state_ == state::waiting) at(retry_at_);
    for (const subscription& s : channels_.slots())
        if (s.state == subscription_state::postponed) at(s.due);
    for (const command& c : outbox_)
        if (!c.done) at(c.deadline);
    arm(next, now);
}

action& machine::act(action_kind kind, std::uint32_t id) {
    action& a = actions_.add();
    a.kind = kind;
    a.id = id;
    return a;
}

action& machine::act(action_kind kind, std::uint32_t id, const server_frame& f) {
    action& a = act(kind, id);
    static_cast<frame_contents&>(a) = f;
    return a;
}

action& machine::change_state(state to) {
    state_ = to;
    action& a = act(action_kind::state_changed);
    a.to = to;
    a.via = transport_;
    a.attempt = backoff_.failures();
    return a;
}

// --- what the server says ---

void machine::on_welcome(const server_frame& f, time_ms now) {
    if (connections_.has_welcome()) return;
    connections_.welcomed(f.ping_ms != 0 ? static_cast<std::uint32_t>(f.ping_ms + f.pong_ms) : 0);
    if (f.message_bytes_max != 0) message_bytes_max_ = static_cast<std::uint32_t>(f.message_bytes_max);
    if (state_ != state::open) {
        state_since_ = now;
        picker_.opened(now);
        change_state(state::open);
    }
    connections_.linger(now);
    close_retiring_unless_awaited();
    rearm(now);
}

machine::taken machine::advance(subscription& s) {
    ++s.offset;
    if (s.replay_left == 0) return taken::live;
    --s.replay_left;
    return taken::replayed;
}

void machine::on_message(const server_frame& f, std::string_view header, time_ms now) {
    subscription* s = channels_.with_channel(f.channel.of(header));
    if (s == nullptr || s->state != subscription_state::live) return;
    const bool own = f.except.size != 0 && f.except.of(header) == session_;
    bool replayed = false;
    if (f.has_offset) {
        if (f.offset <= s->offset) return;
        if (f.offset != s->offset + 1) {
            // Something is missing (5.4): ask again from where we are; what arrives until then comes again.
            send_unsubscribe(*s);
            return send_subscribe(*s, now);
        }
        replayed = advance(*s) == taken::replayed;
    }
    if (own) return;
    act(action_kind::deliver, channels_.id_of(*s), f).replayed = replayed;
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
    if (s->has_position) a.outcome = f.recovered ? recovery_outcome::recovered : recovery_outcome::lost;
    s->state = subscription_state::live;
    s->has_position = true;
    s->epoch = f.epoch.of(header);
    s->offset = f.offset;
    s->replay_left = static_cast<std::uint32_t>(f.replay);
}

void machine::on_presence(const server_frame& f, std::string_view header) {
    subscription* s = channels_.with_channel(f.channel.of(header));
    if (s == nullptr || s->state != subscription_state::live) return;
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
    a.type = f.type;
    a.payload = f.payload;
}

void machine::on_gap(const server_frame& f, std::string_view header, time_ms now) {
    subscription* s = channels_.with_channel(f.channel.of(header));
    if (s == nullptr || s->state != subscription_state::live || f.offset <= s->offset) return;
    if (f.reason.of(header) != "replaced"sv) return resynchronise(*s, now);
    s->offset = f.offset;
    act(action_kind::gap, channels_.id_of(*s), f);
}

// What was dropped is asked for again, from the position before it: at once the first time, and then ever
// later while it happens again and again. Until then nothing of the channel comes, which spares a connection
// that is too slow for it; the history keeps what is published meanwhile, or recovery says that it does not.
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

// What the old connection of a hand-over still brings.
void machine::on_late_answer(const server_frame& f) {
    const command* c = outbox_.with_id(f.id);
    if (c == nullptr || !c->left_behind) return;
    on_answer(f, f.op == server_op::error ? action_kind::failed : action_kind::answered);
    if (connections_.has_welcome()) close_retiring_unless_awaited();
}

void machine::on_error(const server_frame& f, std::string_view header, time_ms now) {
    const std::string_view code = f.code.of(header);
    action_kind kind = action_kind::failed;
    std::uint32_t id = 0;
    if (subscription* s = asked_with(f.id); s != nullptr && f.id != 0) {
        const bool held =
            code == name_of(error_code::already_subscribed);  // an unsubscribe was not carried out
        if (held || code == name_of(error_code::overloaded) || code == name_of(error_code::rate_limited)) {
            if (held) send_unsubscribe(*s);
            s->state = subscription_state::postponed;
            s->due = now + postponed_ms;
            return arm(s->due, now);
        }
        kind = action_kind::refused;
        id = channels_.id_of(*s);
        channels_.remove(id);
    } else if (command* c = outbox_.with_id(f.id); c != nullptr) {
        id = c->id;
        finish(*c);
    } else if (f.id != 0) {
        return;  // answers a command that the application no longer waits for
    }
    act(kind, id, f);
}

// The server ends, now (7.1) or soon (7.3). While the next connection opens that is no news.
void machine::on_farewell(const server_frame& f, std::string_view header, time_ms now) {
    if (connections_.opening() != 0) return;
    // As long as that can be reached; without a word about it, to where it was.
    if (f.url.size != 0) elsewhere_ = f.url.of(header);
    if (f.op == server_op::close) return lost(static_cast<std::uint16_t>(f.close), now, &f);
    connections_.hand_over_at(now + static_cast<time_ms>(f.after_ms) + 1);
    rearm(now);
}

}  // namespace pulsewire::client
