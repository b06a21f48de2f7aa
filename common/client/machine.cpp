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

// How long the old connection of a hand-over stays for the answers to requests that went that way.
constexpr time_ms linger_ms = 5'000;

// Without news for so long after the network came back, a connection is taken for dead.
constexpr time_ms probe_timeout_ms = 5'000;

}  // namespace

machine::machine(const options& opts, std::string_view session, std::uint64_t seed)
    : options_(opts),
      session_(session),
      life_(static_cast<std::uint32_t>(seed)),
      picker_(opts.transports),
      backoff_(opts.backoff, seed) {}

// --- what the application wants ---

void machine::start(time_ms now) {
    if (state_ == state::idle) connect(now);
}

void machine::stop(time_ms) {
    if (state_ == state::closed) return;
    if (transport_exists_) close_transport(attempt_, number(close_code::normal));
    end(number(close_code::normal));
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
    if (attempt != attempt_ || !transport_exists_ || transport_is_open_) return;
    if (handing_over_) unbind(true);
    transport_is_open_ = true;
    last_heard_ = now;
    begin_send("connect"sv).number("version"sv, 1).name("session"sv, session_).end();
    end_send();
    send_waiting(now);
}

void machine::transport_closed(std::uint32_t attempt, std::uint16_t close, time_ms now) {
    if (attempt == retiring_) forget_retiring();
    if (attempt != attempt_ || !transport_exists_) return;
    if (retiring_ == 0 || transport_is_open_) return lost(close, now);
    // There is nobody yet to come back to: the old one goes on until it is closed.
    attempt_ = retiring_;
    retiring_ = 0;
    transport_is_open_ = true;
    handing_over_ = false;
    elsewhere_.clear();
    send_waiting(now);
}

void machine::line(std::uint32_t attempt, std::string_view header, std::uint32_t line_bytes, time_ms now) {
    server_frame f;
    const bool from_retiring = attempt == retiring_ && attempt != 0;
    if (from_retiring) {
        if (!read_server_frame(header, line_bytes, f)) return;
        // All goes on this way until the other one is open; from then on only the answers to requests.
        if (transport_is_open_) return on_late_answer(f, header, now);
        if (f.op == server_op::close || f.op == server_op::drain) return;
    } else {
        if (attempt != attempt_ || !transport_is_open_) return;
        last_heard_ = now;
        probing_ = false;
        if (!read_server_frame(header, line_bytes, f))
            return drop_transport(number(close_code::protocol_error), now);
    }
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
            return on_close(f, header, now);
        case server_op::drain:
            return on_drain(f, header, now);
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

std::int32_t machine::publication(
    std::uint32_t attempt, std::string_view channel, std::uint64_t offset, time_ms now
) {
    if (attempt != attempt_ || !transport_is_open_) return 0;
    subscription* s = channels_.with_channel(channel);
    if (s == nullptr || s->state != subscription_state::live || offset != s->offset + 1) return 0;
    last_heard_ = now;
    probing_ = false;
    const auto id = static_cast<std::int32_t>(channels_.id_of(*s));
    return advance(*s) ? -id : id;
}

void machine::timer(time_ms now) {
    timer_set_ = false;
    if (hand_over_at_ != 0 && now >= hand_over_at_) hand_over(now);
    if (retire_at_ != 0 && now >= retire_at_) close_retiring();
    if (state_ == state::waiting && now >= retry_at_) connect(now);
    expire_commands(now);
    if (transport_exists_ && now >= transport_deadline()) drop_transport(number(close_code::no_pong), now);
    if (can_send())
        for (subscription& s : channels_.slots())
            if (s.state == subscription_state::postponed && now >= s.due) send_subscribe(s, now);
    rearm(now);
}

void machine::network_online(time_ms now) {
    if (state_ == state::waiting) return connect(now);
    if (!can_send() || probing_) return;
    probing_ = true;
    probed_at_ = now;
    send_op("ping"sv);
    arm(now + probe_timeout_ms, now);
}

// --- the connection ---

void machine::connect(time_ms now) {
    transport_ = picker_.next();
    state_since_ = now;
    change_state(state::connecting);
    open_transport(now);
}

void machine::open_transport(time_ms now) {
    transport_exists_ = true;
    transport_is_open_ = false;
    probing_ = false;
    attempt_ = ++last_attempt_;
    opening_since_ = now;
    action& a = act(action_kind::open_transport);
    a.via = transport_;
    a.attempt = attempt_;
    a.text_at = static_cast<std::uint32_t>(outgoing_.size());
    a.text_size = static_cast<std::uint32_t>(elsewhere_.size());
    outgoing_ += elsewhere_;
    arm(now + options_.open_timeout_ms, now);
}

void machine::close_transport(std::uint32_t attempt, std::uint16_t close) {
    action& a = act(action_kind::close_transport);
    a.attempt = attempt;
    a.close = close;
}

// Opens the next connection while this one still serves.
void machine::hand_over(time_ms now) {
    hand_over_at_ = 0;
    if (state_ != state::open || !transport_is_open_) return;
    close_retiring();
    retiring_ = attempt_;
    handing_over_ = true;
    open_transport(now);
}

// The transport is of no use any more: closes it and goes on as if it had been lost.
void machine::drop_transport(std::uint16_t close, time_ms now) {
    close_transport(attempt_, close);
    lost(close, now);
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
    forget_transport();
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
    arm(retry_at_, now);
}

void machine::forget_transport() {
    transport_exists_ = false;
    transport_is_open_ = false;
    handing_over_ = false;
    probing_ = false;
    hand_over_at_ = 0;
    close_retiring();
}

void machine::close_retiring() {
    if (retiring_ != 0) close_transport(retiring_, number(close_code::normal));
    forget_retiring();
}

void machine::forget_retiring() {
    retiring_ = 0;
    retire_at_ = 0;
    for (command& c : outbox_)
        if (!c.done && c.left_behind) fail(c, error_code::disconnected);
    outbox_.sweep();
}

bool machine::awaits_retiring() const {
    for (const command& c : outbox_)
        if (!c.done && c.left_behind) return true;
    return false;
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
    forget_transport();
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
    a.attempt = transport_is_open_ ? attempt_ : retiring_;
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
        if (!c.done && c.deadline != 0 && now >= c.deadline) fail(c, error_code::timeout);
    }
    outbox_.sweep();
}

time_ms machine::transport_deadline() const {
    time_ms next = INT64_MAX;
    const auto at = [&](time_ms since, time_ms wait) { next = since + wait < next ? since + wait : next; };
    if (state_ == state::connecting || handing_over_) {
        at(opening_since_, options_.open_timeout_ms);
    } else if (state_ == state::open) {
        at(last_heard_, silence_max_ms_);
    }
    if (probing_) at(probed_at_, probe_timeout_ms);
    for (const subscription& s : channels_.slots())
        if (s.state == subscription_state::asked) at(s.due, options_.command_timeout_ms);
    for (const command& c : outbox_) {
        if (!c.done && c.sent && !c.awaited_by_server) at(c.sent_at, options_.command_timeout_ms);
    }
    return next;
}

void machine::arm(time_ms at, time_ms now) {
    if (timer_set_ && timer_at_ <= at) return;
    timer_set_ = true;
    timer_at_ = at;
    act(action_kind::set_timer).delay_ms = at > now ? static_cast<std::uint32_t>(at - now) : 0;
}

// Only needed when a timer ran out: whatever becomes due later is armed where it starts.
void machine::rearm(time_ms now) {
    time_ms next = transport_deadline();
    const auto at = [&](time_ms t) { next = t < next ? t : next; };
    if (state_ == state::waiting) at(retry_at_);
    if (hand_over_at_ != 0) at(hand_over_at_);
    if (retire_at_ != 0) at(retire_at_);
    for (const subscription& s : channels_.slots())
        if (s.state == subscription_state::postponed) at(s.due);
    for (const command& c : outbox_)
        if (!c.done && c.deadline != 0) at(c.deadline);
    if (next != INT64_MAX) arm(next, now);
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
    if (state_ != state::connecting && !handing_over_) return;
    if (f.ping_ms != 0) silence_max_ms_ = static_cast<std::uint32_t>(f.ping_ms + f.pong_ms);
    if (f.message_bytes_max != 0) message_bytes_max_ = static_cast<std::uint32_t>(f.message_bytes_max);
    arm(now + silence_max_ms_, now);
    if (handing_over_) {
        handing_over_ = false;
        if (!awaits_retiring()) return close_retiring();
        retire_at_ = now + linger_ms;
        return arm(retire_at_, now);
    }
    state_since_ = now;
    picker_.opened(now);
    change_state(state::open);
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
    const bool own = f.except.size != 0 && f.except.of(header) == session_;
    bool replayed = false;
    if (f.has_offset) {
        if (f.offset <= s->offset) return;
        if (f.offset != s->offset + 1) {
            // Something is missing (5.4): ask again from where we are; what arrives until then comes again.
            send_unsubscribe(*s);
            return send_subscribe(*s, now);
        }
        replayed = advance(*s);
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
void machine::on_late_answer(const server_frame& f, std::string_view header, time_ms now) {
    const command* c = outbox_.with_id(f.id);
    if (c == nullptr || !c->left_behind) return;
    if (f.op == server_op::response) on_answer(f, action_kind::answered);
    if (f.op == server_op::error) on_error(f, header, now);
    if (!handing_over_ && !awaits_retiring()) close_retiring();
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

// As long as that can be reached; without a word about it, to where it was (7.1).
void machine::go_to(const server_frame& f, std::string_view header) {
    if (f.url.size != 0) elsewhere_ = f.url.of(header);
}

// 7.3
void machine::on_drain(const server_frame& f, std::string_view header, time_ms now) {
    go_to(f, header);
    hand_over_at_ = now + static_cast<time_ms>(f.after_ms) + 1;
    arm(hand_over_at_, now);
}

void machine::on_close(const server_frame& f, std::string_view header, time_ms now) {
    go_to(f, header);
    close_transport(attempt_, number(close_code::normal));
    lost(static_cast<std::uint16_t>(f.close), now, &f);
}

}  // namespace pulsewire::client
