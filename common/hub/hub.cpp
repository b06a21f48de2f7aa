#include "common/hub/hub.hpp"

#include "common/base/random.hpp"
#include "common/hub/message_text.hpp"
#include "common/protocol/names.hpp"

#include <algorithm>

namespace pulsewire::hub {
namespace {

bool is_client(face f) {
    return f != face::api;
}

constexpr std::uint64_t credit_per_command = 1'000;

// Channels whose names fall into one bucket get new epochs when one of them is forgotten with publications.
constexpr std::size_t forgotten_buckets = 1'024;

// commands_per_second: what is earned in two seconds.
std::uint64_t credit_max(const limits& bounds) {
    return 2 * credit_per_command * bounds.commands_per_second;
}

// Forgets a request in flight; false when there is none with that id.
bool take_request(session& s, std::uint64_t id) {
    return std::erase_if(s.requests, [&](const request_in_flight& r) { return r.id == id; }) != 0;
}

// A hash of what is published with a key: whatever else is in the publish may differ when it is repeated by
// another session, as by a tab that took over the outbox of one that was closed. Never 0.
std::uint64_t content_of(const hash_key& secret, const publish_view& p) {
    const std::uint64_t hash = sip_hasher<>(secret).piece(p.type).piece(p.conflate).piece(p.payload).end();
    return hash == 0 ? 1 : hash;
}

// Raw text does not go back to its sender, who could not tell it from others' (docs/protocol.md 10.1).
bool is_own_text(const session& s, const message& m) {
    return s.speaks == face::plain_websocket && m.except() == s.name;
}

}  // namespace

void output::clear() {
    sends.clear();
    receivers.clear();
    closes.clear();
    posts.clear();
    stores.clear();
}

void output::swap(output& other) noexcept {
    sends.swap(other.sends);
    receivers.swap(other.receivers);
    closes.swap(other.closes);
    posts.swap(other.posts);
    stores.swap(other.stores);
}

void output::add_send(message_ptr what, std::uint64_t connection, bool replayed) {
    sends.push_back({std::move(what), static_cast<std::uint32_t>(receivers.size()), 1, replayed, 0});
    receivers.push_back(connection);
}

hub::hub(config c)
    : config_(std::move(c)),
      subscribers_(config_.secret),
      channels_(0, name_hash(config_.secret)),
      histories_(config_.bounds.history_bytes_total_max),
      forgotten_(forgotten_buckets),
      idempotency_(config_.bounds.idempotency_ms, config_.bounds.idempotency_keys_max, config_.secret),
      unstored_(config_.secret),
      random_(config_.seed ^ (std::uint64_t{config_.shard} << 48)) {}

// Keyed, so that an outsider cannot choose names that all belong to one shard.
shard_index hub::owner_of(std::string_view channel, shard_index shard_count, const hash_key& secret) {
    if (shard_count == 1) return 0;
    return static_cast<shard_index>(keyed_hash(secret, channel) % shard_count);
}

session* hub::find(std::uint64_t connection) {
    const auto found = sessions_.find(connection);
    return found == sessions_.end() ? nullptr : found->second.get();
}

const namespace_options& hub::options_of(std::string_view channel) const {
    if (config_.namespaces.empty()) return config_.default_namespace;
    const auto found = config_.namespaces.find(std::string(namespace_of(channel)));
    return found == config_.namespaces.end() ? config_.default_namespace : found->second;
}

// --- connections ---

void hub::open(
    std::uint64_t connection, face f, std::string_view secret, std::string_view session_name, instant now
) {
    closed(connection, now);  // an id that is in use already would leave subscriptions without an owner
    auto s = std::make_unique<session>();
    s->connection = connection;
    s->speaks = f;
    s->secret = secret;
    s->name = session_name;
    s->welcome = !session_name.empty();
    s->opened_ms = s->heard_ms = s->sent_ms = s->credit_at_ms = now.monotonic_ms;
    s->credit = credit_max(config_.bounds);
    if (s->welcome && config_.tell_connections && is_client(f))
        post(application, connected{{config_.shard, connection}, s->name}, now);
    sessions_[connection] = std::move(s);
}

std::size_t hub::receive(
    std::uint64_t connection, std::string_view lines, instant now, std::size_t answer_bytes_max
) {
    const std::size_t given = lines.size();
    session* s = find(connection);
    if (s != nullptr) heard(*s, now);
    bool limit_told = false;
    std::size_t answer_bytes = 0, counted = output_.sends.size();
    // A line may end the session.
    for (; s != nullptr && !lines.empty(); s = find(connection)) {
        for (; counted < output_.sends.size(); ++counted) {
            const output::send& sent = output_.sends[counted];
            if (sent.count == 1 && output_.to(sent)[0] == connection) answer_bytes += sent.what->line.size();
        }
        if (answer_bytes > answer_bytes_max) break;
        if (answer_bytes_max != no_limit && s->awaited_answers >= awaited_answers_max) break;
        const std::size_t newline = lines.find('\n');
        const std::string_view line = lines.substr(0, newline);
        lines.remove_prefix(newline == std::string_view::npos ? lines.size() : newline + 1);
        if (!line.empty()) receive_line(*s, line, limit_told, now);
    }
    return s == nullptr ? given : given - lines.size();
}

void hub::receive_line(session& s, std::string_view line, bool& limit_told, instant now) {
    ++counters_.commands;
    if (!take_credit(s, 1, now)) {
        // Each id waits for an answer. Without one, once is enough: a message of 64 KiB has room for
        // 32,000 lines.
        const std::uint64_t id = id_of_partial_frame(line);
        if (id == 0 && std::exchange(limit_told, true)) return;
        return answer_error(s, id, error_code::rate_limited, "too many commands per second", now);
    }
    const auto read = read_command(line, scratch_);
    if (!read) return answer_error(s, read.error().id, read.error().code, read.error().message, now);
    execute(s, *read, now);
}

// The shard that was asked has answered. The line that was waited for is the last one that was read, so its
// answer is sent, and the shell comes back with the rest when that is written.
void hub::answered(const connection_ref& to, std::uint8_t weight) {
    if (weight == 0) return;
    if (session* s = find(to.value); s != nullptr)
        s->awaited_answers -= std::min<std::uint32_t>(s->awaited_answers, weight);
}

void hub::receive_oversized(std::uint64_t connection, std::string_view head, instant now) {
    heard(connection, now);
    session* s = find(connection);
    if (s == nullptr) return;
    ++counters_.commands;
    const std::string text =
        "the message is larger than " + std::to_string(config_.bounds.message_bytes_max) + " bytes";
    answer_error(*s, id_of_partial_frame(head), error_code::too_large, text, now);
}

void hub::execute(std::uint64_t connection, const command& c, instant now) {
    session* s = find(connection);
    if (s == nullptr) return;
    // What came as a line was read by read_command(), and its rate checked.
    if (!c.channel.empty() && !is_channel(c.channel))
        return refuse(*s, c, error_code::invalid_channel, "invalid channel name", now);
    if (s->speaks == face::plain_websocket && !take_credit(*s, 1, now))
        return refuse(*s, c, error_code::rate_limited, "too many messages per second", now);
    execute(*s, c, now);
}

void hub::execute(session& s, const command& c, instant now) {
    if (!s.welcome && c.op != command_op::connect)
        return refuse(s, c, error_code::not_connected, "send connect first", now);
    switch (c.op) {
        case command_op::connect:
            return on_connect(s, c, now);
        case command_op::subscribe:
            return on_subscribe(s, c, now);
        case command_op::unsubscribe:
            return on_unsubscribe(s, c, now);
        case command_op::publish:
            return on_publish(s, c, now);
        case command_op::request:
            return on_request(s, c, now);
        case command_op::cancel:
            return on_cancel(s, c, now);
        case command_op::respond:
            return on_respond(s, c, now);
        case command_op::history:
        case command_op::presence:
            return on_query(s, c, now);
        case command_op::ping:
            return send(s, make_pong(c.id), now);
        case command_op::pong:
        case command_op::none:
            return;
    }
}

void hub::heard(std::uint64_t connection, instant now) {
    if (session* s = find(connection); s != nullptr) heard(*s, now);
}

void hub::heard(session& s, instant now) {
    s.heard_ms = now.monotonic_ms;
    s.pinged = false;
}

void hub::closed(std::uint64_t connection, instant now) {
    if (session* s = find(connection); s != nullptr) forget(*s, now);
}

void hub::send(session& s, message_ptr m, instant now) {
    s.sent_ms = now.monotonic_ms;
    output_.add_send(std::move(m), s.connection);
}

void hub::answer_error(session& s, std::uint64_t id, error_code code, std::string_view text, instant now) {
    ++counters_.errors;
    send(s, make_error(id, code, text), now);
}

void hub::refuse(session& s, const command& c, error_code code, std::string_view text, instant now) {
    answer_error(s, c.id, code, text, now);
}

// Tells the client why, and forgets it.
void hub::end(session& s, close_code code, std::string_view reason, instant now) {
    send(s, make_close(code, 0, reason), now);
    output_.closes.push_back({s.connection, code, std::string(reason)});
    forget(s, now);
}

void hub::forget(session& s, instant now) {
    forget_requests(s, now);
    while (!s.subscriptions.empty()) remove(*s.subscriptions.back(), now);
    if (s.welcome && config_.tell_connections && is_client(s.speaks))
        post(application, disconnected{ref_to(s), s.name}, now);
    sessions_.erase(s.connection);
}

bool hub::take_credit(session& s, std::uint32_t commands, instant now) {
    const std::uint64_t rate = config_.bounds.commands_per_second;
    if (rate == 0) return true;
    const std::int64_t passed_ms = std::min<std::int64_t>(now.monotonic_ms - s.credit_at_ms, 2'000);
    s.credit = std::min(s.credit + static_cast<std::uint64_t>(passed_ms) * rate, credit_max(config_.bounds));
    s.credit_at_ms = now.monotonic_ms;
    if (s.credit < commands * credit_per_command) return false;
    s.credit -= commands * credit_per_command;
    return true;
}

// --- commands ---

void hub::on_connect(session& s, const command& c, instant now) {
    if (s.welcome) return refuse(s, c, error_code::invalid_frame, "already connected", now);
    if (c.version != 1) return end(s, close_code::unsupported_version, "this server speaks version 1", now);
    if (!is_session(c.session))
        return end(s, close_code::invalid_connect, "session must be 8 to 64 of A-Z a-z 0-9 _ -", now);
    s.name = c.session;
    s.welcome = true;
    send(s, make_welcome(c.id, s.name, s.secret, config_.server_name, config_.bounds), now);
    s.secret.clear();
    s.secret.shrink_to_fit();
    if (config_.tell_connections) post(application, connected{ref_to(s), s.name}, now);
}

void hub::on_subscribe(session& s, const command& c, instant now) {
    if (subscribers_.find(s, c.channel) != nullptr)
        return refuse(s, c, error_code::already_subscribed, "already subscribed to this channel", now);
    if (s.subscriptions.size() >= config_.bounds.channels_per_connection_max)
        return refuse(s, c, error_code::too_many_channels, "too many subscriptions on this connection", now);
    if (c.payload.size() > config_.bounds.presence_info_bytes_max)
        return refuse(s, c, error_code::too_large, "the presence info is too large", now);
    if ((c.presence || !c.payload.empty()) && !options_of(c.channel).presence)
        return refuse(s, c, error_code::forbidden, "this namespace keeps no presence", now);

    subscription& sub = subscribers_.add(s, c.channel);
    sub.token = ++last_token_;
    sub.id = c.id;
    subscriber_table::entry_of(sub).wants_presence = c.presence;
    sub.listed = !c.payload.empty();

    attach a;
    a.from = ref_to(s);
    a.id = c.id;
    a.token = sub.token;
    a.channel = c.channel;
    a.has_position = !c.epoch.empty() && c.has_offset;
    a.epoch = c.epoch;
    a.offset = c.offset;
    a.latest = static_cast<std::uint32_t>(std::min<std::uint64_t>(c.latest, config_.bounds.recovery_max));
    a.wants_presence = c.presence;
    if (sub.listed) {
        a.session = s.name;
        a.info = c.payload;
    }
    a.weight = c.presence ? text_weight : a.has_position || a.latest != 0 ? replay_weight : std::uint8_t{0};
    s.awaited_answers += a.weight;
    post(owner_of(c.channel), std::move(a), now);
}

void hub::on_unsubscribe(session& s, const command& c, instant now) {
    subscription* sub = subscribers_.find(s, c.channel);
    if (sub == nullptr)
        return refuse(s, c, error_code::not_subscribed, "not subscribed to this channel", now);
    remove(*sub, now);
    if (c.id != 0) send(s, make_unsubscribed(c.id, c.channel), now);
}

void hub::remove(subscription& sub, instant now) {
    detach d;
    d.from = config_.shard;
    d.token = sub.token;
    d.channel = sub.where->name;
    if (sub.listed) d.session = sub.owner->name;
    d.last_of_shard = subscribers_.remove(sub);
    const shard_index owner = owner_of(d.channel);
    post(owner, std::move(d), now);
}

void hub::on_publish(session& s, const command& c, instant now) {
    if (is_client(s.speaks) && !options_of(c.channel).client_publish)
        return refuse(s, c, error_code::forbidden, "clients may not publish in this namespace", now);
    publish_view p;
    p.from = ref_to(s);
    p.id = c.id;
    p.channel = c.channel;
    p.type = c.type;
    p.key = c.key;
    p.payload = c.payload;
    p.conflate = c.conflate;
    p.transient = c.transient;
    if (!c.echo) p.except = s.name;
    if (!c.key.empty() && !c.transient) {
        p.content = content_of(config_.secret, p);
        p.publisher = keyed_hash(config_.secret, s.name);
    }
    if (config_.tell_publishes && is_client(s.speaks))
        return post(application, client_publish{s.name, p.as<std::string>()}, now);
    const shard_index owner = owner_of(c.channel);
    if (owner == config_.shard) return order(p, now);
    post(owner, p.as<std::string>(), now);
}

void hub::on_query(session& s, const command& c, instant now) {
    if (c.id == 0) return refuse(s, c, error_code::invalid_frame, "\"id\" is missing", now);
    if (c.limit > config_.bounds.recovery_max)
        return refuse(
            s, c, error_code::invalid_frame,
            "\"limit\" is at most " + std::to_string(config_.bounds.recovery_max), now
        );
    if (c.has_time && c.has_offset)
        return refuse(s, c, error_code::invalid_frame, "give \"offset\" or \"time\", not both", now);
    query q;
    q.what = c.op == command_op::presence ? query::kind::presence : query::kind::history;
    if (q.what == query::kind::presence && !options_of(c.channel).presence)
        return refuse(s, c, error_code::forbidden, "this namespace keeps no presence", now);
    // A short line asks for a long answer; one command is paid for already.
    const std::uint32_t price = std::min(commands_per_query, config_.bounds.commands_per_second);
    if (price > 1 && s.speaks != face::api && !take_credit(s, price - 1, now))
        return refuse(s, c, error_code::rate_limited, "too many queries per second", now);
    q.from = ref_to(s);
    q.id = c.id;
    q.channel = c.channel;
    q.limit =
        c.limit != 0 ? static_cast<std::uint32_t>(c.limit) : std::min(q.limit, config_.bounds.recovery_max);
    q.has_offset = c.has_offset;
    q.offset = c.offset;
    q.has_time = c.has_time;
    q.time_ms = static_cast<std::int64_t>(c.time);
    q.backwards = c.backwards;
    s.awaited_answers += text_weight;
    post(owner_of(c.channel), std::move(q), now);
}

// --- values from other shards and the application ---

void hub::receive(shard_message&& m, instant now) {
    std::visit([&](auto& value) { on(std::move(value), now); }, m);
}

void hub::on(attached&& m, instant now) {
    answered(m.to, m.weight);
    session* s = find(m.to.value);
    subscription* sub = s == nullptr ? nullptr : subscribers_.find(*s, m.channel);
    if (sub == nullptr || sub->token != m.token) return;  // unsubscribed, or gone, meanwhile
    subscribers_.set_live(*sub);
    send(*s, std::move(m.subscribed), now);
    if (m.members != nullptr) send(*s, std::move(m.members), now);
    counters_.deliveries += m.replay.size();
    for (message_ptr& old : m.replay) output_.add_send(std::move(old), s->connection, true);
    if (config_.tell_subscriptions) post(application, client_subscribed{m.to, s->name, m.channel}, now);
}

void hub::on(attach_refused&& m, instant now) {
    answered(m.to, m.weight);
    session* s = find(m.to.value);
    subscription* sub = s == nullptr ? nullptr : subscribers_.find(*s, m.channel);
    if (sub == nullptr || sub->token != m.token) return;
    sub->listed = false;
    remove(*sub, now);
    ++counters_.errors;
    send(*s, std::move(m.error), now);
}

void hub::on(deliver&& m, instant now) {
    local_channel* here = subscribers_.find(m.what->channel());
    if (here == nullptr) return;
    const bool to_all = m.what->kind != message_kind::presence;
    const bool to_publisher = m.what->except().empty();
    const auto first = static_cast<std::uint32_t>(output_.receivers.size());
    bool is_everyone = to_all;
    for (const subscriber& sub : here->subscribers) {
        // Not live yet: the owner's answer, which comes behind this, has all that the subscription needs.
        if (!sub.live || !(to_all || sub.wants_presence)) continue;
        if (!to_publisher && is_own_text(*sub.what->owner, *m.what)) {
            is_everyone = false;
            continue;
        }
        output_.receivers.push_back(sub.connection);
    }
    const auto count = static_cast<std::uint32_t>(output_.receivers.size()) - first;
    if (count == 0) return;
    if (to_all) here->delivered_ms = now.monotonic_ms;
    counters_.deliveries += count;
    const std::uint64_t audience = is_everyone ? here->audience : subscribers_.new_audience();
    output_.sends.push_back({std::move(m.what), first, count, false, audience});
}

void hub::on(reply&& m, instant now) {
    answered(m.to, m.weight);
    session* s = find(m.to.value);
    if (s == nullptr) return;
    if (m.ends_request != 0 && !take_request(*s, m.ends_request)) return;  // canceled or overdue meanwhile
    if (m.what->kind == message_kind::error) ++counters_.errors;
    send(*s, std::move(m.what), now);
}

void hub::on(disconnect&& m, instant now) {
    if (session* s = find(m.to.value); s != nullptr) end(*s, m.code, m.reason, now);
}

}  // namespace pulsewire::hub
