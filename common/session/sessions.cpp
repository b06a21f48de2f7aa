#include "common/session/sessions.hpp"

#include "common/base/overloaded.hpp"
#include "common/base/random.hpp"
#include "common/protocol/names.hpp"
#include "common/session/credit.hpp"
#include "common/session/guard.hpp"
#include "common/session/heartbeat.hpp"
#include "common/session/public_name.hpp"
#include "common/session/token_time.hpp"

#include <algorithm>
#include <memory>
#include <utility>
#include <variant>

namespace pulsewire::hub {
namespace {

// Sessions with their subscriptions that one call of tick() sees to.
constexpr std::size_t tick_work_max = 1'024;

// A hash of the content that is published with a key; never 0. The rest of the publish may differ when
// another session repeats it, such as a tab that has taken over the outbox of a closed one.
std::uint64_t content_of(const hash_key& secret, const publish_view& p) {
    sip_hasher<> hasher(secret);
    hasher.piece(p.type).piece(p.conflate).piece(p.payload);
    if (p.binary) hasher.piece("/bytes");  // no user has such a name
    if (p.snapshot)
        hasher.piece("/snapshot").number(p.snapshot.covers).number(p.snapshot.part).piece(p.snapshot.id);
    // The key of one user is of no use to another.
    if (!p.user.empty()) hasher.piece(p.user);
    const std::uint64_t hash = hasher.end();
    return hash == 0 ? 1 : hash;
}

}  // namespace

sessions::sessions(const config& settings, channel_port& channels, session_port& others, output& out)
    : config_(settings),
      channels_(channels),
      output_(out),
      answers_(out, counters_),
      observers_(settings.observers, out),
      authorizations_(settings, observers_),
      subscriptions_(settings, table_, channels, out, answers_, observers_, counters_),
      requests_(settings, channels, others, answers_, observers_, subscriptions_),
      random_(settings.seed ^ (std::uint64_t{settings.shard} << 48)) {}

// --- connections ---

void sessions::open(
    std::uint64_t connection, face f, std::string_view secret, std::string_view session_name, instant now,
    std::uint64_t source, access::principal_ptr who
) {
    closed(connection, now);  // otherwise an id in use would leave subscriptions without an owner
    auto s = std::make_unique<session>();
    s->connection = connection;
    s->speaks = f;
    s->secret = secret;
    s->name = session_name;
    s->welcome = !session_name.empty();
    s->source = source;
    s->opened_ms = s->heard_ms = s->sent_ms = now.monotonic_ms;
    s->credit_at_ms = credit_clock(now);
    s->credit = credit_max(config_.bounds);
    s->answer_credit = answer_credit_max(config_.bounds);
    if (who != nullptr) adopt(*s, std::move(who), now);
    if (s->welcome && is_client(f))
        observers_.tell(
            &interests::connections, connected{{config_.shard, connection}, s->name, std::string(s->user())}
        );
    table_.add(std::move(s));
}

std::size_t sessions::receive(
    std::uint64_t connection, std::string_view lines, instant now, std::size_t answer_bytes_max,
    message_form form
) {
    const std::size_t given = lines.size();
    session* s = table_.find(connection);
    if (s != nullptr) {
        heard(*s, now);
        s->can_rest = answer_bytes_max != no_limit;
    }
    bool limit_told = false;
    std::size_t answer_bytes = 0, counted = output_.sends.size();
    // Looked up before each line, since a line may end the session.
    for (; s != nullptr && !lines.empty(); s = table_.find(connection)) {
        // Messages to this connection alone are its answers; a publication to many is bounded
        // by the queues of its receivers.
        for (; counted < output_.sends.size(); ++counted) {
            const output::send& sent = output_.sends[counted];
            if (sent.count == 1 && output_.to(sent)[0] == connection) answer_bytes += sent.what->line.size();
        }
        if (answer_bytes > answer_bytes_max) break;
        if (s->shown != nullptr && s->shown->verifying != 0) break;
        if (authorizations::is_full(*s)) break;
        // Answers on their way from other shards have no size yet, so their weights are bounded instead.
        if (s->can_rest && (s->awaited_answers >= awaited_answers_max || rests(*s, now))) break;
        const std::size_t newline = lines.find('\n');
        const std::string_view line = lines.substr(0, newline);
        lines.remove_prefix(newline == std::string_view::npos ? lines.size() : newline + 1);
        std::optional<std::string_view> behind;
        if (const auto bytes = form == message_form::binary ? bytes_behind(line) : std::nullopt) {
            // Of a message that is cut short what there is; then the line says another number.
            behind = lines.substr(0, *bytes);
            lines.remove_prefix(behind->size());
        }
        const bool can_go_on = line.empty() || receive_line(*s, line, behind, limit_told, now);
        if (!can_go_on && form == message_form::binary) lines = {};
    }
    return s == nullptr ? given : given - lines.size();
}

// Whether nothing more of it is carried out now.
bool sessions::rests(session& s, instant now) {
    const std::int64_t debt = debt_ms(s, config_.bounds, credit_clock(now));
    if (debt > 0 && now.monotonic_ms + debt > s.rests_until_ms) rest(s, now.monotonic_ms + debt);
    return s.rests_until_ms > now.monotonic_ms;
}

void sessions::rest(session& s, std::int64_t until_ms) {
    s.rests_until_ms = until_ms;
    output_.rests.push_back({s.connection, until_ms});
}

// A refusal costs the server nearly as much as a command. Who does not heed refusals is not read for a
// while, and then is sent away.
void sessions::refuse_for_rate(session& s, std::uint64_t id, std::string_view text, instant now) {
    answers_.error(s, id, error_code::rate_limited, text, now);
    count_refusal(s, now);
}

void sessions::count_refusal(session& s, instant now) {
    if (++s.refused < config_.bounds.commands_per_second || !s.can_rest) return;
    s.refused = 0;
    const std::int64_t quiet_ms = now.monotonic_ms - s.rests_until_ms;
    s.rests = quiet_ms < rests_apart_ms ? s.rests + 1 : 1;
    if (s.rests > rests_max) return end(s, close_code::policy_violation, "too many commands per second", now);
    rest(s, now.monotonic_ms + rest_ms);
}

bool sessions::receive_line(
    session& s, std::string_view line, std::optional<std::string_view> behind, bool& limit_told, instant now
) {
    ++counters_.commands;
    if (!take_credit(s, 1, config_.bounds, credit_clock(now))) {
        // A command with an id needs its answer. Lines without an id get one error for the whole message,
        // because a message of 64 KiB has room for 32,000 lines.
        const std::uint64_t id = id_of_partial_frame(line);
        // What is not read may have bytes behind it that it does not count.
        const bool goes_on = behind || line.find("\"bytes\"") == line.npos;
        if (id == 0 && std::exchange(limit_told, true)) return count_refusal(s, now), goes_on;
        if (line.find(R"("key":)") != line.npos) note_refused(s, id, now.monotonic_ms);
        return refuse_for_rate(s, id, "too many commands per second", now), goes_on;
    }
    const auto read = read_command(line, scratch_, behind);
    if (!read) {
        answers_.error(
            s, read.error().id, read.error().code, read.error().message, now, read.error().pointer
        );
        return !read.error().has_unknown_bytes;
    }
    // Messages of a WebSocket were measured before.
    if (!behind && size_of(line, *read) > config_.bounds.message_bytes_max)
        answers_.error(s, read->id, error_code::too_large, too_large_text(), now);
    else if (!read->key.empty() && is_behind_refused(s, read->id, now.monotonic_ms))
        refuse_for_rate(s, read->id, "an earlier publish was refused and comes first", now);
    else
        execute(s, *read, now);
    return true;
}

std::string sessions::too_large_text() const {
    return "the message is larger than " + std::to_string(config_.bounds.message_bytes_max) + " bytes";
}

void sessions::receive_oversized(std::uint64_t connection, std::string_view head, instant now) {
    heard(connection, now);
    session* s = table_.find(connection);
    if (s == nullptr) return;
    ++counters_.commands;
    // The client learns the limit from the text, and which command failed if its id is near the beginning.
    answers_.error(*s, id_of_partial_frame(head), error_code::too_large, too_large_text(), now);
}

void sessions::execute(std::uint64_t connection, const command& c, instant now) {
    session* s = table_.find(connection);
    if (s == nullptr) return;
    // Only lines have passed read_command() and the rate limit, so both checks
    // are made here for the other faces.
    if (!c.channel.empty() && !is_channel(c.channel))
        return answers_.error(*s, c.id, error_code::invalid_channel, "invalid channel name", now);
    s->can_rest = true;
    // An event stream has only its channels to wait for.
    if (s->speaks == face::plain_websocket && authorizations::is_full(*s))
        return refuse_for_rate(*s, c.id, "too many messages wait for a decision", now);
    if (s->speaks == face::plain_websocket && !take_credit(*s, 1, config_.bounds, credit_clock(now)))
        return refuse_for_rate(*s, c.id, "too many messages per second", now);
    execute(*s, c, now);
}

void sessions::execute(session& s, const command& c, instant now) {
    if (const auto why = guard(s, c, config_)) return refuse(s, c, *why, now);
    if (authorizations_.takes(s, c, now)) return;
    carry_out(s, c, now);
}

void sessions::carry_out(session& s, const command& c, instant now) {
    switch (c.op) {
        case command_op::connect:
            return on_connect(s, c, now);
        case command_op::refresh:
            return on_refresh(s, c, now);
        case command_op::subscribe:
            return subscriptions_.on_subscribe(s, c, now);
        case command_op::unsubscribe:
            return subscriptions_.on_unsubscribe(s, c, now);
        case command_op::publish:
            return on_publish(s, c, now);
        case command_op::request:
            return requests_.on_request(s, c, now);
        case command_op::cancel:
            return requests_.on_cancel(s, c, now);
        case command_op::respond:
            return requests_.on_respond(s, c, now);
        case command_op::history:
        case command_op::presence:
            return on_query(s, c, now);
        case command_op::ping:
            return answers_.send(s, make_pong(c.id), now);
        case command_op::pong:
        case command_op::none:
            return;
    }
}

// The commands at the head of the line, up to one about which nobody has decided yet.
void sessions::carry_out_waiting(std::uint64_t connection, instant now) {
    bool was_full = false;
    // Looked up before each, since a command may end the session.
    for (session* s = table_.find(connection); s != nullptr; s = table_.find(connection)) {
        was_full = was_full || authorizations::is_full(*s);
        auto first = authorizations::next(*s);
        if (!first) {
            // The rest of its lines is in the shell.
            if (was_full && !authorizations::is_full(*s)) rest(*s, now.monotonic_ms);
            return;
        }
        const command& c = first->what->what();
        // Its permission may have ended while it waited.
        if (!first->why_not) first->why_not = guard(*s, c, config_);
        if (const auto& why = first->why_not) {
            refuse(*s, c, *why, now);
        } else {
            carry_out(*s, c, now);
        }
    }
}

std::optional<refusal> sessions::refusal_of(face f, access::principal_ptr who, const command& c) const {
    session s;
    s.welcome = true;
    s.speaks = f;
    if (who != nullptr) {
        s.shown = std::make_unique<credentials>();
        s.shown->who = std::move(who);
    }
    return guard(s, c, config_);
}

void sessions::refuse(session& s, const command& c, const refusal& why, instant now) {
    if (why.code == error_code::forbidden)
        output_.denials.push_back(
            {s.connection, c.op, std::string(s.user()), std::string(c.channel), why.text}
        );
    answers_.error(s, c.id, why.code, why.text, now, why.pointer);
}

void sessions::heard(std::uint64_t connection, instant now) {
    if (session* s = table_.find(connection); s != nullptr) heard(*s, now);
}

void sessions::heard(session& s, instant now) {
    s.heard_ms = now.monotonic_ms;
    s.pinged = false;
}

void sessions::closed(std::uint64_t connection, instant now) {
    if (session* s = table_.find(connection); s != nullptr) forget(*s, now);
}

// Sends the reason to the client, closes the connection and forgets the session.
void sessions::end(session& s, close_code code, std::string_view text, instant now, std::string_view reason) {
    answers_.send(s, make_close(code, 0, text, {}, reason), now);
    output_.closes.push_back({s.connection, code, std::string(text)});
    forget(s, now);
}

void sessions::forget(session& s, instant now) {
    requests_.forget(s, now);
    subscriptions_.remove_all(s, now);
    if (s.welcome && is_client(s.speaks))
        observers_.tell(
            &interests::connections,
            disconnected{{config_.shard, s.connection}, s.name, std::string(s.user())}
        );
    table_.remove(s.connection);
}

// --- commands ---

void sessions::on_connect(session& s, const command& c, instant now) {
    // Final, since another attempt would end in the same way.
    if (c.version != 1) return end(s, close_code::unsupported_version, "this server speaks version 1", now);
    if (!is_session(c.session))
        return end(s, close_code::invalid_connect, "session must be 8 to 64 of A-Z a-z 0-9 _ -", now);
    s.name = public_name(c.session);
    s.pongs = c.pongs;
    s.binary = c.binary;
    if (!c.token.empty()) {
        if (config_.verifies_tokens) return show_token(s, c);
        return end(s, close_code::unauthorized, "this server is not set up to verify tokens", now);
    }
    if (s.who() == nullptr && !config_.anonymous)
        return end(s, close_code::unauthorized, "this server wants a token", now);
    greet(s, c.id, now);
}

void sessions::greet(session& s, std::uint64_t id, instant now) {
    s.welcome = true;
    welcome_fields f;
    f.id = id;
    f.session = s.name;
    f.secret = s.secret;
    f.server = config_.server_name;
    f.user = s.user();
    f.degraded = !degraded_.empty();
    f.binary = s.binary;
    if (s.who() != nullptr) f.expires_in_ms = counts_for_ms(*s.who(), now);
    answers_.send(s, make_welcome(f, config_.bounds), now);
    // The secret is needed only once, and a session lives long.
    s.secret.clear();
    s.secret.shrink_to_fit();
    observers_.tell(
        &interests::connections, connected{{config_.shard, s.connection}, s.name, std::string(s.user())}
    );
    if (s.who() == nullptr) return;
    for (const std::string& channel : s.who()->subscribe) offer(s, channel, now);
}

void sessions::on_publish(session& s, const command& c, instant now) {
    publish_view p;
    p.from = {config_.shard, s.connection};
    p.id = c.id;
    p.channel = c.channel;
    p.type = c.type;
    p.key = c.key;
    p.payload = c.payload;
    p.binary = c.binary;
    p.conflate = c.conflate;
    p.transient = c.transient;
    p.snapshot = c.snapshot;
    if (c.has_if_offset) {
        p.if_offset = c.if_offset;
        p.if_epoch = c.epoch;
    }
    // A client cannot say who it is; whoever holds the API's key may say who published.
    const bool speaks_for_users = s.speaks == face::api && (s.who() == nullptr || s.who()->is_program);
    p.user = speaks_for_users ? c.user : s.user();
    // Excepted by session, which the client's next connection keeps (4.10).
    if (!c.echo) p.except = s.name;
    // The hash of the content costs a walk over the payload, so it is made only where a key is remembered.
    if (!c.key.empty() && !c.transient) {
        p.content = content_of(config_.content_key(c.channel), p);
        p.publisher = s.source != 0 ? s.source : keyed_hash(config_.secret, s.name);
    }
    // An observer that decides about publishes gets a copy; the publish reaches the owner
    // only if the observer passes it on.
    const auto deciding = is_client(s.speaks) ? observers_.first(&interests::publishes) : std::nullopt;
    if (deciding) {
        const bool declared_only = is_undeclared(c, config_.options_of(c.channel));
        return observers_.tell(*deciding, client_publish{s.name, p.as<std::string>(), declared_only});
    }
    channels_.publish(p, now);
}

void sessions::on_query(session& s, const command& c, instant now) {
    // A query is a short line with a long answer, so it costs more (4.14). The price
    // of one command is paid already.
    const std::uint32_t price = std::min(commands_per_query, config_.bounds.commands_per_second);
    if (price > 1 && s.speaks != face::api && !take_credit(s, price - 1, config_.bounds, credit_clock(now)))
        return refuse_for_rate(s, c.id, "too many queries per second", now);
    query q;
    q.of = c.op == command_op::presence ? query::kind::presence : query::kind::history;
    q.from = {config_.shard, s.connection};
    q.id = c.id;
    q.channel = c.channel;
    q.limit =
        c.limit != 0 ? static_cast<std::uint32_t>(c.limit) : std::min(q.limit, config_.bounds.recovery_max);
    if (c.has_offset) q.offset = c.offset;
    if (c.has_time) q.time_ms = static_cast<std::int64_t>(c.time);
    q.backwards = c.backwards;
    q.after = c.after;
    // Counted before the read, because an owner on this shard answers within it.
    s.awaited_answers += text_weight;
    channels_.read(std::move(q), now);
}

// --- values from the owners of channels and from observers ---

void sessions::receive(to_session&& value, instant now) {
    std::visit(
        overloaded{
            [&](attached& m) { receive(std::move(m), now); },
            [&](attach_refused& m) {
                answered(m.to, m.weight);
                subscriptions_.on(std::move(m), now);
            },
            [&](deliver& m) { receive(std::move(m), now); },
            [&](reply& m) { receive(std::move(m), now); },
            [&](asked& m) { requests_.on(std::move(m), now); },
            [&](withdrawn& m) { requests_.on(std::move(m), now); },
            [&](disconnect& m) { on(std::move(m), now); },
            [&](revoke& m) { on(std::move(m), now); },
            [&](authorized& m) { on(std::move(m), now); },
            [&](offer_channel& m) { on(std::move(m), now); },
            [&](end_subscription& m) { on(std::move(m), now); },
            [&](snapshot_wanted& m) { subscriptions_.on(m, now); },
            [&](standing& m) { on(std::move(m), now); },
        },
        value
    );
}

// An owner has answered, so the answer is a message in the output from now on and no longer awaited. The
// shell comes back with the rest of the lines when the connection has been written.
void sessions::answered(const connection_ref& to, std::uint8_t weight) {
    if (weight == 0) return;
    if (session* s = table_.find(to.value); s != nullptr)
        s->awaited_answers -= std::min<std::uint32_t>(s->awaited_answers, weight);
}

void sessions::receive(attached&& m, instant now) {
    answered(m.to, m.weight);
    subscriptions_.on(std::move(m), now);
}

void sessions::receive(reply&& m, instant now) {
    answered(m.to, m.weight);
    session* s = table_.find(m.to.value);
    if (s == nullptr) return;
    // The request was canceled or became overdue in the meantime, so the client needs no answer any more.
    if (m.ends_request != 0 && !requests::take(*s, m.ends_request)) return;
    // Errors of owners and handlers come as finished messages, so they are counted here.
    if (m.what->kind == message_kind::error) ++counters_.errors;
    if (m.weight != 0 && s->speaks != face::api) charge_answer(*s, m.what->line.size());
    if (m.weight != 0 && s->shown != nullptr && !may_have(*s, *m.what))
        return answers_.error(*s, m.what->id, error_code::forbidden, "the permission has ended", now);
    answers_.send(*s, std::move(m.what), now);
}

void sessions::on(disconnect&& m, instant now) {
    if (session* s = table_.find(m.to.value); s != nullptr) end(*s, m.code, m.reason, now);
}

void sessions::on(authorized&& m, instant now) {
    session* s = table_.find(m.to.value);
    if (s == nullptr) return;
    authorizations_.settle(*s, m, now);
    carry_out_waiting(m.to.value, now);
}

// The connection's session, or those of the user.
std::vector<session*> sessions::named(const connection_ref& connection, std::string_view user) {
    std::vector<session*> all;
    if (user.empty()) {
        if (session* s = table_.find(connection.value); s != nullptr) all.push_back(s);
        return all;
    }
    for (const std::uint64_t one : table_.those([&](const session& s) { return s.user() == user; }))
        all.push_back(table_.find(one));
    return all;
}

void sessions::on(offer_channel&& m, instant now) {
    for (session* s : named(m.to, m.user)) offer(*s, m.channel, now);
}

void sessions::on(end_subscription&& m, instant now) {
    for (session* s : named(m.to, m.user)) subscriptions_.end(*s, m.channel, now);
}

// Clients of the protocol subscribe by themselves, because only they know from which position (4.26).
void sessions::offer(session& s, std::string_view channel, instant now) {
    if (!s.welcome || (s.speaks != face::protocol && s.speaks != face::protocol_stream)) return;
    if (!permitted(s, channel, config_.options_of(channel)).has(operation::subscribe)) return;
    if (subscriptions_.find(s, channel) == nullptr) answers_.send(s, make_subscribe(channel), now);
}

// A client hears of the node as a whole: when the first part stops, and when the last one goes on.
void sessions::on(standing&& m, instant now) {
    const bool was_degraded = !degraded_.empty();
    if (m.is_degraded)
        degraded_.insert(m.of);
    else
        degraded_.erase(m.of);
    if (was_degraded == !degraded_.empty()) return;
    const message_ptr word = make_standing(!was_degraded);
    for (const std::uint64_t one : table_.those([](const session& s) {
             return s.welcome && (s.speaks == face::protocol || s.speaks == face::protocol_stream);
         }))
        answers_.send(*table_.find(one), word, now);
}

// --- the passing of time ---

// Hundreds of clients that fall silent together, with all their subscriptions, would be too much at once.
bool sessions::tick(instant now) {
    const std::int64_t ms = now.monotonic_ms;
    // Collected first, because ending a session changes the table.
    const auto due = table_.those([&](session& s) {
        const bool overdue = requests::sweep(s, ms);
        return overdue || s.waiting != nullptr || duty_of(s, config_.bounds, ms) != duty::none;
    });
    std::size_t work = 0;
    for (const std::uint64_t connection : due) {
        if (work >= tick_work_max) return true;
        work += 1;
        // A command that was allowed before another in front of it was given up may end the session.
        if (authorizations_.expire(*table_.find(connection), now)) carry_out_waiting(connection, now);
        if (table_.find(connection) == nullptr) continue;
        session& s = *table_.find(connection);
        // An ended session gets no answers, so overdue requests are answered first.
        requests_.expire(s, now);
        switch (duty_of(s, config_.bounds, ms)) {
            case duty::none:
                break;
            case duty::ping:
                s.pinged = true;
                answers_.send(s, make_ping(), now);
                break;
            case duty::end_unconnected:
                work += s.subscriptions.size();
                end(s, close_code::connect_timeout, "no connect frame came", now);
                break;
            case duty::end_expired:
                work += s.subscriptions.size();
                end(s, close_code::token_expired, "the token has expired", now);
                break;
            case duty::end_silent:
                work += s.subscriptions.size();
                end(s, close_code::no_pong, "no answer to the ping", now);
                break;
        }
    }
    return false;
}

// --- the end of a server ---

void sessions::send_away(session& s, close_code code, std::uint32_t spread_ms, instant now) {
    // At least 1, because 0 would not be written into the frame.
    const auto after = static_cast<std::uint32_t>(next_random(random_, spread_ms) + 1);
    if (s.speaks != face::api)
        answers_.send(s, make_close(code, after, "the server restarts", config_.drain_url), now);
    output_.closes.push_back({s.connection, code, "the server restarts"});
}

void sessions::drain(close_code code, std::uint32_t spread_ms, instant now) {
    const auto all = table_.those([](const session&) { return true; });
    for (const std::uint64_t connection : all) send_away(*table_.find(connection), code, spread_ms, now);
    for (const std::uint64_t connection : all) forget(*table_.find(connection), now);
}

void sessions::hand_over(close_code code, std::uint32_t spread_ms, instant now) {
    for (const std::uint64_t connection : table_.those([](const session&) { return true; })) {
        session& s = *table_.find(connection);
        // Only clients of the protocol understand `drain` (7.3), so the other faces are sent away now. A
        // request of the HTTP API is left to finish.
        if (s.welcome && (s.speaks == face::protocol || s.speaks == face::protocol_stream)) {
            const auto after = static_cast<std::uint32_t>(next_random(random_, spread_ms) + 1);
            answers_.send(s, make_drain(after, config_.drain_url), now);
        } else if (s.speaks != face::api) {
            send_away(s, code, spread_ms, now);
            forget(s, now);
        }
    }
}

}  // namespace pulsewire::hub
