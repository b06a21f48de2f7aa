#include "common/client/machine.hpp"

#include "common/protocol/limits.hpp"

namespace pulsewire::client {
namespace {

using namespace std::string_view_literals;
using writer = basic_line_writer<text_buffer>;

// The server's ping is late when it comes so much later than ping_ms after our last word; much less than the
// pong_ms for which the server waits.
constexpr time_ms late_ping_ms = 2'000;
// A command that takes so many connections with it in a row fails, so that the others get through.
constexpr std::uint8_t strikes_max = 3;

constexpr std::uint16_t number(close_code code) {
    return static_cast<std::uint16_t>(code);
}

}  // namespace

machine::machine(const options& opts, std::string_view session, std::uint64_t seed)
    : connections_(opts.open_timeout_ms),
      options_(opts),
      session_(session),
      life_(seed),
      picker_(opts.transports),
      backoff_(opts.backoff, seed) {}

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
    s.state_wanted = how.state;
    s.payload_of = how.payload_of;
    // A position kept by the application lets even a new page recover.
    s.has_position = !how.epoch.empty();
    s.epoch = how.epoch;
    s.offset = how.offset;
    if (can_send() && pay(1, now)) send_subscribe(s, now);
    return id;
}

void machine::unsubscribe(std::uint32_t subscription_id, time_ms) {
    subscription* s = channels_.with_id(subscription_id);
    if (s == nullptr) return;
    // Only these are known to the server. Without a transport all are idle, so nothing is sent then.
    if (s->state == subscription_state::live || s->state == subscription_state::asked) send_unsubscribe(*s);
    // The answer to the unsubscribe is not awaited: its id belongs to no subscription.
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
        // A transient publish has no key: repeating it could show it twice.
        c->when_lost = after_loss::never;
        w.flag("transient"sv, true);
    } else if (!how.key.empty()) {
        w.name("key"sv, how.key);
    } else {
        // Unique without a random number for each publish: the session is random, `life_`
        // separates its pages, the id counts.
        text_buffer key(std::string_view{session_});
        key.push_back('-');
        append_number(key, life_);
        key.push_back('-');
        append_number(key, c->id);
        w.name("key"sv, key);
    }
    if (!how.echo) w.flag("echo"sv, false);
    if (!how.conflate.empty()) w.name("conflate"sv, how.conflate);
    if (!how.more.empty()) w.members(how.more);
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
    c->is_query = true;
    writer w(c->header, "history"sv);
    w.number("id"sv, c->id).name("channel"sv, channel);
    if (limit != 0) w.number("limit"sv, limit);
    const bool by_time = page == history_page::since || page == history_page::until;
    const bool backwards = page == history_page::before || page == history_page::until;
    if (from != 0) w.number(by_time ? "time"sv : "offset"sv, from);
    if (backwards) w.flag("backwards"sv, true);
    w.end();
    return dispatch(*c, now);
}

std::uint32_t machine::presence(std::string_view channel, time_ms now) {
    command* c = new_command(0, 0, now);
    if (c == nullptr) return 0;
    c->is_query = true;
    writer(c->header, "presence"sv).number("id"sv, c->id).name("channel"sv, channel).end();
    return dispatch(*c, now);
}

void machine::cancel(std::uint32_t id, time_ms) {
    command* c = outbox_.with_id(id);
    if (c == nullptr) return;
    // Only requests can be withdrawn at the server; other answers are ignored when they come.
    if (c->sent && c->awaited_by_server) {
        begin_send("cancel"sv).number("id"sv, c->id).end();
        end_send();
    }
    finish(*c);
}

// --- what happened outside ---

void machine::transport_opened(std::uint32_t attempt, time_ms now) {
    // Never as nobody by accident.
    if (options_.tokens && token_.empty() && !is_nobody_)
        return drop_transport(attempt, close_code::no_pong, now);
    if (!connections_.opened(attempt)) return;
    // In a hand-over the old connection still answers the requests that were sent on it.
    unbind(true);
    auto connect = begin_send("connect"sv);
    connect.number("version"sv, 1).name("session"sv, session_);
    // Pongs, so that the server misses this client when it is gone and its stream hangs in the air (4.15).
    connect.flag(transport_ == transport::sse ? "pongs"sv : "binary"sv, true);
    if (!token_.empty()) connect.name("token"sv, token_);
    token_shown_at_ = now;
    connect.end();
    end_send();
    clock_.sends(0, now);
    // Alone, because a message that is too large for the server is skipped as a whole, and what the server
    // takes only the welcome tells.
}

void machine::transport_closed(std::uint32_t attempt, std::uint16_t close, time_ms now) {
    // Something on the way takes no message as large as one of ours.
    if (attempt == connections_.serving() && close == number(close_code::message_too_big)) blame_largest();
    switch (connections_.ended(attempt)) {
        case connections::loss::none:
            return;
        case connections::loss::retired:
            return fail_left_behind();
        case connections::loss::serving:
            return unbind();  // all is sent again on the next connection
        case connections::loss::opening:
            elsewhere_.clear();  // the address given by the server does not work
            // A token that came meanwhile was to travel with it.
            if (token_is_new_ && refresh_id_ == 0) show_new_token(now);
            return send_waiting(now);
        case connections::loss::complete:
            return lost(close, now);
    }
}

void machine::timer(time_ms now) {
    timer_at_ = never;
    // All deadlines are looked at, whichever of them the timer was for: the host may call too late.
    if (connections_.must_hand_over(now)) open_transport(now);
    if (connections_.lingers_too_long(now)) close_retiring();
    if (state_ == state::waiting && now >= retry_at_) connect(now);
    if (now >= refresh_at_) ask_token();
    expire_commands(now);
    // The commands expire before a transport is dropped, so that their error is
    // `timeout` and not `disconnected`.
    if (now >= connections_.opening_deadline())
        drop_transport(connections_.newest(), close_code::no_pong, now);
    const awaited before = awaits();
    if (now >= serving_deadline(before)) {
        if (now >= connections_.silence_deadline(before.large_since)) connections_.silent();
        if (now >= before.answer_until) blame_overdue(now);
        drop_transport(connections_.serving(), close_code::no_pong, now);
    }
    // A dropped transport has left nothing to subscribe on; the next one subscribes everything.
    if (connections_.serving() != 0)
        for (subscription& s : channels_.slots())
            if (s.state == subscription_state::postponed && now >= s.due) send_subscribe(s, now);
    if (can_send() && now >= paced_until_) send_waiting(now);
    if (can_send() && now >= life_due() && awaits().answer_until != never) show_life(now);
    rearm(now);
}

void machine::network_online(time_ms now) {
    if (state_ == state::waiting) return connect(now);
    // An open connection may be dead after a change of network, and its silence would be noticed much later.
    if (!can_send() || !connections_.probe(clock_.sends(0, now).at)) return;
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

void machine::open_now(time_ms now) {
    close_retiring();  // never more than two at a time
    action& a = act(action_kind::open_transport);
    a.via = transport_;
    a.attempt = connections_.open(now);
    a.text_at = static_cast<std::uint32_t>(outgoing_.size());
    a.text_size = static_cast<std::uint32_t>(elsewhere_.size());
    outgoing_ += elsewhere_;
    rearm(now);
}

void machine::close_transport(std::uint32_t attempt, close_code close) {
    action& a = act(action_kind::close_transport);
    a.attempt = attempt;
    a.close = number(close);
}

// Closes a transport that is of no use any more, and continues as if it had
// been lost. Another transport stays.
void machine::drop_transport(std::uint32_t attempt, close_code why, time_ms now) {
    // The action comes first, so that the host closes the old transport before it opens another.
    close_transport(attempt, why);
    transport_closed(attempt, number(why), now);
}

// `why` is the close frame of the server (7.1), or null when there was none.
void machine::lost(std::uint16_t close, time_ms now, const server_frame* why) {
    if (state_ == state::open) {
        // A connection that was open for long makes this failure count as the first (9.1).
        backoff_.succeeded_for(now - state_since_);
        // Whoever is between may close with any code, but only the server says so in a frame before. What was
        // never answered was cut when it was sent.
        const bool unanswered = close == number(close_code::no_pong);
        picker_.lost(why == nullptr, unanswered ? now - options_.command_timeout_ms : now);
    } else if (why == nullptr) {
        picker_.failed();  // a close frame that arrived proves that the transport works
        elsewhere_.clear();
    }
    close_all();
    unbind();
    come_back_later(close, now, why);
}

void machine::come_back_later(std::uint16_t close, time_ms now, const server_frame* why) {
    // The server may name the delay itself, to spread clients over a restart.
    std::uint32_t delay = backoff_.fail();
    if (why != nullptr && why->after_ms != 0) delay = static_cast<std::uint32_t>(why->after_ms);
    // The range of the close code decides whether to come back (7.2).
    const bool final = !(token_lost(close) || should_reconnect(close)) || backoff_.exhausted();
    action& told = final ? end(close) : change_state(state::waiting);
    told.close = close;
    if (why != nullptr) told.message = why->message;
    if (final) return;
    told.delay_ms = delay;
    retry_at_ = now + delay;
    rearm(now);
}

void machine::close_all() {
    while (const std::uint32_t attempt = connections_.forget()) close_transport(attempt, close_code::normal);
}

void machine::close_retiring() {
    if (const std::uint32_t attempt = connections_.retire()) close_transport(attempt, close_code::normal);
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

// Undoes what was bound to the transport: subscriptions and commands will be sent again. A command that
// cannot be repeated safely fails or, while the old transport may still bring its answer, waits for that.
void machine::unbind(bool may_be_answered) {
    clock_ = {};
    refresh_id_ = 0;
    for (subscription& s : channels_.slots()) {
        if (s.state != subscription_state::vacant) s.state = subscription_state::idle;
        s.awaits_members = false;
    }
    for (command& c : outbox_) {
        if (c.done) continue;
        if (!c.sent) {
            // It waited for the welcome of a connection that is gone.
            if (c.when_lost == after_loss::never) fail(c, error_code::disconnected);
            continue;
        }
        c.left_behind = may_be_answered && c.awaited_by_server;
        if (c.left_behind) continue;
        c.sent = false;
        if (c.when_lost != after_loss::repeat) fail(c, error_code::disconnected);
    }
    outbox_.sweep();
}

action& machine::end(std::uint16_t close) {
    close_all();
    ask_ = 0;
    refresh_at_ = never;
    for (command& c : outbox_)
        if (!c.done) fail(c, error_code::closed);
    outbox_.sweep();
    // The subscriptions go too: nothing will be delivered any more, and start()
    // does not revive a closed machine.
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
    paced_until_ = never;
    for (subscription& s : channels_.slots()) {
        if (s.state != subscription_state::idle) continue;
        if (!pay(1, now)) return;
        send_subscribe(s, now);
    }
    for (command& c : outbox_) {
        if (c.done || c.sent) continue;
        if (!pay(price_of(c), now)) return;
        send_command(c, now);
    }
}

// False when the server would refuse so many commands now, or when others wait already: then send_waiting()
// comes back to them.
bool machine::pay(std::uint32_t commands, time_ms now) {
    if (paced_until_ == never) {
        if (pacer_.take(commands, now)) return true;
        paced_until_ = pacer_.ready_at(commands, now);
        arm(paced_until_, now);
    }
    return false;
}

std::uint32_t machine::price_of(const command& c) {
    return c.is_query ? commands_per_query : 1;
}

void machine::send_op(std::string_view op) {
    begin_send(op).end();
    end_send();
}

// With an id, so that its error is not taken for another one's: the server may
// have ended the subscription already.
void machine::send_unsubscribe(const subscription& s) {
    begin_send("unsubscribe"sv).number("id"sv, ++last_id_).name("channel"sv, s.channel).end();
    end_send();
}

void machine::send_subscribe(subscription& s, time_ms now) {
    s.command_id = ++last_id_;
    s.state = subscription_state::asked;
    s.asked_at = clock_.sends(0, now);
    s.awaits_members = s.presence;
    s.replay_left = 0;
    writer w = begin_send("subscribe"sv);
    w.number("id"sv, s.command_id).name("channel"sv, s.channel);
    if (s.has_position) w.name("epoch"sv, s.epoch).number("offset"sv, s.offset);
    if (s.latest != 0) w.number("latest"sv, s.latest);
    if (s.presence) w.flag("presence"sv, true);
    if (s.state_wanted) w.flag("state"sv, true);
    if (s.payload_of != 0) {
        w.payload_key();
    } else {
        w.end();
    }
    end_send(s.payload_of);
    // An unanswered subscribe means that the connection is dead or the server
    // stuck: either way another one helps.
    arm(now + options_.command_timeout_ms, now);
}

void machine::send_command(command& c, time_ms now) {
    c.sent = true;
    c.sent_at = clock_.sends(c.header.size() + c.payload_bytes, now);
    line_begin_ = static_cast<std::uint32_t>(outgoing_.size());
    outgoing_ += c.header;
    end_send(c.has_payload ? c.id : 0);
    // A request takes as long as its handler, so it says nothing about the connection.
    if (!c.awaited_by_server) arm(now + options_.command_timeout_ms, now);
}

command* machine::new_command(std::uint32_t payload_bytes, std::uint32_t timeout_ms, time_ms now) {
    // Bounded here, before the host keeps the payload.
    if (outbox_.waiting() >= options_.outbox_messages_max ||
        outbox_.bytes() + payload_bytes > options_.outbox_bytes_max)
        return nullptr;
    command& c = outbox_.add(++last_id_, payload_bytes);
    // The deadline of the application counts from the call, whether or not a transport is open.
    if (timeout_ms != 0) {
        c.deadline = now + timeout_ms;
        arm(c.deadline, now);
    }
    return &c;
}

// Sends the command, leaves it waiting, or fails it at once.
std::uint32_t machine::dispatch(command& c, time_ms now) {
    const std::uint32_t id = c.id;
    if (can_send()) {
        if (pay(price_of(c), now)) send_command(c, now);
    } else if (state_ == state::closed || (c.when_lost == after_loss::never && connections_.serving() == 0)) {
        // Other commands wait in the outbox for the next transport.
        fail(c, state_ == state::closed ? error_code::closed : error_code::disconnected);
        outbox_.sweep();
    }
    return id;
}

void machine::finish(command& c) {
    outbox_.release(c);
    if (outbox_.waiting() == 0) clock_.all_answered();
    outbox_.sweep();
}

void machine::fail(command& c, error_code code) {
    // The slot is kept, because callers are iterating over the outbox.
    act(action_kind::failed, c.id).local_code = code;
    outbox_.release(c);
}

void machine::blame(command& c, error_code code) {
    if (++c.strikes >= strikes_max) fail(c, code);
}

// Commands are answered in order, more or less: those after the first one only wait for it.
void machine::blame_overdue(time_ms now) {
    for (command& c : outbox_) {
        if (c.done || !c.sent || c.awaited_by_server) continue;
        if (now >= c.sent_at.at + options_.command_timeout_ms) blame(c, error_code::timeout);
        return;
    }
}

void machine::blame_largest() {
    command* largest = nullptr;
    for (command& c : outbox_) {
        if (c.done || !c.sent) continue;
        if (largest == nullptr || c.payload_bytes > largest->payload_bytes) largest = &c;
    }
    if (largest != nullptr) blame(*largest, error_code::too_large);
}

// --- time ---

void machine::expire_commands(time_ms now) {
    for (command& c : outbox_) {
        if (!c.done && now >= c.deadline) fail(c, error_code::timeout);
    }
    outbox_.sweep();
}

// A page holds at least one message.
std::size_t machine::answer_bytes_max(const command& c) const {
    return c.is_query ? std::max<std::size_t>(history_page_bytes_max, message_bytes_max_) : 0;
}

// Answers come in the order of the commands, more or less: the others only wait for the oldest one.
machine::awaited machine::awaits() const {
    awaited a;
    const answer_clock::start* oldest = nullptr;
    std::size_t ahead = 0;
    const auto counts = [&](const answer_clock::start& since, std::size_t large_bytes, bool is_answer) {
        ahead += large_bytes;
        if (large_bytes != 0) a.large_since = std::min(a.large_since, since.at);
        if (is_answer && (oldest == nullptr || since.at < oldest->at)) oldest = &since;
    };
    for (const subscription& s : channels_.slots())
        counts(
            s.asked_at, s.awaits_members ? presence_page_bytes_max : 0, s.state == subscription_state::asked
        );
    for (const command& c : outbox_)
        if (!c.done && c.sent) counts(c.sent_at, answer_bytes_max(c), !c.awaited_by_server);
    if (oldest != nullptr) a.answer_until = clock_.deadline(*oldest, options_.command_timeout_ms, ahead);
    return a;
}

time_ms machine::life_due() const {
    return clock_.last().at + ping_ms_ + late_ping_ms;
}

void machine::show_life_when_due(time_ms now) {
    if (can_send() && now >= life_due() && clock_.busy_since(clock_.last())) show_life(now);
}

// What the server takes for the answer to its ping, also to one that waits behind something large on a slow
// link, for longer than the server waits for its pong.
void machine::show_life(time_ms now) {
    send_op("pong"sv);
    clock_.sends(0, now);
}

void machine::arm(time_ms at, time_ms now) {
    if (timer_at_ <= at) return;
    timer_at_ = at;
    // An earlier timer that is armed already stays: timer() looks at all deadlines and arms the next.
    act(action_kind::set_timer).delay_ms = at > now ? static_cast<std::uint32_t>(at - now) : 0;
}

// Arms the timer for the earliest of all deadlines. Deadlines that start between two
// timers are armed where they start.
void machine::rearm(time_ms now) {
    const awaited a = awaits();
    time_ms next = std::min(connections_.deadline(), serving_deadline(a));
    const auto at = [&](time_ms t) { next = std::min(next, t); };
    at(refresh_at_);
    if (state_ == state::waiting) at(retry_at_);
    if (can_send()) at(paced_until_);
    if (can_send() && a.answer_until != never) at(life_due());
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

}  // namespace pulsewire::client
