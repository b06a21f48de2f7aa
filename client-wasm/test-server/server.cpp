#include "client-wasm/test-server/server.hpp"

#include "common/access/grants.hpp"
#include "common/access/pattern.hpp"
#include "common/base/base64.hpp"
#include "common/base/overloaded.hpp"
#include "common/exchange/message_text.hpp"
#include "common/protocol/event_stream.hpp"
#include "common/protocol/json_scan.hpp"
#include "common/protocol/line_writer.hpp"
#include "common/protocol/names.hpp"

#include <algorithm>
#include <charconv>
#include <utility>
#include <variant>

namespace pulsewire::test_server {
namespace {

// Requests of the HTTP API, one at a time: networks choose smaller numbers.
constexpr connection_number api_connection = UINT32_MAX;
constexpr std::uint64_t api_id = 1;
constexpr int principal_depth_max = 34;

// Lives and lost logs of one seed have seeds of their own (the fractional part of the golden ratio).
constexpr std::uint64_t seed_step = 0x9e3779b97f4a7c15;

connection_number number_of(std::uint64_t connection) {
    return static_cast<connection_number>(connection);
}

std::string list_of(operations all) {
    std::string list = "[";
    for (std::size_t i = 0; i < operation_count; ++i) {
        if (!all.has(static_cast<operation>(i))) continue;
        if (list.size() > 1) list += ',';
        list.append("\"").append(operation_names[i]).append("\"");
    }
    return list + "]";
}

// A string's content, or nothing where the value is none.
std::string text_in(std::string_view value) {
    return value.size() < 2 || value.front() != '"' ? std::string()
                                                    : unescaped(value.substr(1, value.size() - 2));
}

std::int64_t number_in(std::string_view value) {
    std::int64_t number = 0;
    std::from_chars(value.data(), value.data() + value.size(), number);
    return number;
}

std::vector<std::string> texts_in(std::string_view list) {
    std::vector<std::string> all;
    json_scan scan(list);
    std::string_view inner;
    if (scan.take('['))
        while (scan.take_string(inner)) {
            all.push_back(unescaped(inner));
            if (!scan.take(',')) break;
        }
    return all;
}

// The identity that a token proves, or a fault in it, for people.
result<access::principal_ptr, std::string> principal_in(std::string_view shown) {
    std::string fault;
    auto who = std::make_shared<access::principal>();
    json_scan scan(shown);
    for_each_member(scan, principal_depth_max, [&](std::string_view key, std::string_view value) {
        if (key == "user") who->user = access::wire_name_of(text_in(value));
        if (key == "info") who->info = value;
        if (key == "subscribe") who->subscribe = texts_in(value);
        if (key == "token_id") who->token_id = text_in(value);
        if (key == "issued_ms") who->issued_ms = number_in(value);
        if (key == "expires_ms") who->expires_ms = number_in(value);
        if (key != "allow") return true;
        auto allowed = access::grants::parse(value);
        if (allowed)
            who->allowed = std::move(*allowed);
        else
            fault = allowed.error();
        return true;
    });
    for (std::string& channel : who->subscribe)
        if (const auto own = channel.find(access::own_name); own != channel.npos)
            channel.replace(own, access::own_name.size(), who->user);
    if (!fault.empty()) return failure{std::move(fault)};
    return access::principal_ptr(std::move(who));
}

command subscribing(std::string_view channel, std::uint64_t latest) {
    command c;
    c.op = command_op::subscribe;
    c.channel = channel;
    c.latest = latest;
    return c;
}

// As a frame says it in a text message (docs/protocol.md 2.5).
void end_with_payload(line_writer& json, std::string_view payload, bool binary) {
    if (binary)
        json.flag("binary", true).name("payload", to_base64(payload)).end();
    else
        json.json("payload", payload.empty() ? "null" : payload).end();
}

}  // namespace

given_payload given_payload::from(std::string_view text) {
    given_payload p{std::string(text)};
    if (!text.starts_with(before_base64)) return p;
    p.text.clear();
    p.binary = append_from_base64(p.text, text.substr(1));
    return p;
}

server::server(settings chosen, std::uint64_t seed)
    : settings_(std::move(chosen)),
      seed_(seed),
      storage_(settings_.delivery),
      gate_(settings_.hub.bounds, {seed, ~seed}) {
    settings_.hub.server_name = "pulsewire-test";
    settings_.hub.secret = {seed, ~seed};
    start();
}

void server::start() {
    hub::config c = settings_.hub;
    c.seed = seed_ + ++life_ * seed_step;
    c.store_id = seed_ + lost_ * seed_step;
    c.store_generation = disk_.generation();
    hub_ = std::make_unique<hub::hub>(std::move(c));
    for (hub::restored_channel& kept : disk_.channels()) hub_->restore(std::move(kept), now_);
    for (const hub::restored_key& kept : disk_.keys()) hub_->restore(kept, now_);
    settle();
}

// --- the network ---

void server::open(connection_number number, hub::face speaks, std::string_view secret) {
    const auto made = connections_.try_emplace(number, storage_).first;
    made->second.queue.set_framing(
        speaks == hub::face::protocol ? delivery::framing::websocket : delivery::framing::event_stream
    );
    hub_->open(number, speaks, secret, {}, now_);
    settle();
}

// The checks of the real server, in its order (server/transport/events.cpp).
std::string_view server::open_events(connection_number number, const events_request& asked) {
    const auto refused = [this](error_code code, std::string_view text) {
        text_ = hub::make_error(0, code, text)->line;
        return std::string_view(text_);
    };
    access::principal_ptr who;
    if (!asked.shown.empty()) {
        auto shown = principal_in(asked.shown);
        if (!shown) return refused(error_code::unauthorized, shown.error());
        who = std::move(*shown);
    }
    std::vector<std::string> channels = texts_in(asked.channels);
    if (channels.empty() && who != nullptr) channels = who->subscribe;
    if (channels.empty()) return refused(error_code::invalid_channel, "name a channel");
    for (const std::string& name : channels)
        if (!is_channel(name)) return refused(error_code::invalid_channel, "no channel has such a name");
    delivery::event_stream_writer writer(std::move(channels));
    if (writer.channels().size() > event_stream::channels_max)
        return refused(error_code::too_many_channels, "an event stream has at most 32 channels");
    writer.mark_cursors();
    writer.set_retry(asked.retry_ms);
    std::optional<event_stream::cursor> resume;
    if (!asked.cursor.empty()) {
        auto parsed = event_stream::cursor::parse(asked.cursor, writer.channels());
        if (!parsed) return refused(error_code::invalid_frame, event_stream::describe(parsed.error()));
        resume = std::move(*parsed);
    }
    std::uint64_t latest = 0;
    const char* const latest_end = asked.latest.data() + asked.latest.size();
    const auto [stopped, error] = std::from_chars(asked.latest.data(), latest_end, latest);
    if (!asked.latest.empty() && (stopped != latest_end || error != std::errc()))
        return refused(error_code::invalid_frame, "latest must be a whole number");
    for (const std::string& name : writer.channels())
        if (const auto why = hub_->refusal_of(hub::face::event_stream, who, subscribing(name, latest)))
            return refused(why->code, why->text);

    const auto made = connections_.try_emplace(number, storage_).first;
    channels = writer.channels();
    made->second.events.emplace(std::move(writer));
    hub_->open(number, hub::face::event_stream, {}, "events-" + std::to_string(number), now_, 0, who);
    for (std::size_t i = 0; i < channels.size(); ++i) {
        command c = subscribing(channels[i], latest);
        c.id = i + 1;
        c.has_offset = resume.has_value();
        if (resume) {
            c.epoch = resume->at(i).epoch;
            c.offset = resume->at(i).offset;
        }
        hub_->execute(number, c, now_);
    }
    settle();
    return {};
}

server::connection* server::find(connection_number number) {
    const auto found = connections_.find(number);
    return found == connections_.end() ? nullptr : &found->second;
}

void server::receive(connection_number number, std::string_view lines) {
    connection* const c = find(number);
    if (c == nullptr || c->ends != close_code::none) return;
    // Payloads of bytes come as base64, and the hub knows what they stand for.
    if (lines.size() > base64_size(settings_.hub.bounds.message_bytes_max)) {
        hub_->receive_oversized(number, lines.substr(0, 512), now_);
        return settle();
    }
    c->unread.append(lines).append("\n");
    read_on(number);
}

// As the server: no more is read than there is room for the answers.
void server::read_on(connection_number number) {
    while (true) {
        connection* const c = find(number);
        if (c == nullptr || c->unread.empty() || c->rests_until_ms > now_.monotonic_ms) return;
        const std::size_t room = c->queue.room();
        if (room == 0 || c->ends != close_code::none) return;
        const std::string lines = c->unread;
        const std::size_t done = hub_->receive(number, lines, now_, room);
        c->unread.erase(0, done);
        settle();
        if (done == 0) return;
    }
}

bool server::has_read_all(connection_number number) const {
    const auto found = connections_.find(number);
    return found == connections_.end() || found->second.unread.empty();
}

void server::closed(connection_number number) {
    connections_.erase(number);
    hub_->closed(number, now_);
    settle();
}

std::string_view server::pull(connection_number number, std::size_t bytes_max) {
    text_.clear();
    connection* const c = find(number);
    if (c == nullptr) return text_;
    c->is_blocked = false;
    delivery::parts next;
    while (!c->is_blocked && c->queue.next_parts(next)) {
        const std::size_t taken = std::min(next.bytes, bytes_max - text_.size());
        std::size_t left = taken;
        for (std::size_t i = 0; i < next.count && left != 0; ++i) {
            const std::size_t size = std::min(left, next.all[i].size);
            text_.append(next.all[i].data, size);
            left -= size;
        }
        c->queue.taken(taken);
        c->is_blocked = taken < next.bytes;
    }
    if (c->is_blocked) {
        c->queue.blocked();
        cut_if_slow(number, *c);
    }
    taken_ = text_;
    read_on(number);
    return taken_;
}

close_code server::ended(connection_number number) const {
    const auto found = connections_.find(number);
    if (found == connections_.end()) return close_code::normal;
    return found->second.queue.empty() ? found->second.ends : close_code::none;
}

// --- the HTTP API ---

std::string_view server::publish(std::string_view channel, std::string_view body) {
    if (body.size() > settings_.hub.bounds.message_bytes_max) {
        text_ = hub::make_error(0, error_code::too_large, "the body is larger than message_bytes_max")->line;
        return text_;
    }
    std::string scratch;
    auto read = read_publish_body(body, scratch);
    if (!read) {
        text_ = hub::make_error(0, read.error().code, read.error().message, read.error().pointer)->line;
        return text_;
    }
    read->channel = channel;
    return answer_of_api(*read);
}

std::string_view server::query(std::string_view line) {
    std::string scratch;
    const auto read = read_command(line, scratch);
    if (!read) {
        text_ = hub::make_error(0, read.error().code, read.error().message, read.error().pointer)->line;
        return text_;
    }
    return answer_of_api(*read);
}

// One shard answers at once.
std::string_view server::answer_of_api(const command& c) {
    std::string answer;
    api_answer_ = &answer;
    command asked = c;
    asked.id = api_id;
    hub_->open(api_connection, hub::face::api, {}, "api", now_);
    hub_->execute(api_connection, asked, now_);
    settle();
    hub_->closed(api_connection, now_);
    settle();
    api_answer_ = nullptr;
    text_ = std::move(answer);
    return text_;
}

// --- the application ---

void server::answer(connection_number number, std::uint64_t id, given_payload payload) {
    const hub::connection_ref to{0, number};
    hub_->receive(
        hub::to_session(hub::reply{to, hub::make_response(id, payload.text, payload.binary), id}), now_
    );
    settle();
}

void server::refuse_request(
    connection_number number, std::uint64_t id, error_code code, std::string_view text
) {
    const hub::connection_ref to{0, number};
    hub_->receive(hub::to_session(hub::reply{to, hub::make_error(id, code, text), id}), now_);
    settle();
}

void server::authorized(connection_number number, std::uint64_t id, error_code code, std::string_view text) {
    const hub::connection_ref to{0, number};
    hub_->receive(hub::to_session(hub::authorized{to, id, code, std::string(text)}), now_);
    settle();
    read_on(number);
}

void server::decided(std::uint64_t id, publish_gate::word given) {
    if (auto post = gate_.settle(id, std::move(given), now_.monotonic_ms))
        hub_->receive(std::move(*post), now_);
    settle();
}

std::string server::verified(connection_number number, std::uint64_t id, std::string_view principal) {
    access::verdict outcome;
    std::string fault;
    if (!principal.empty()) {
        auto shown = principal_in(principal);
        if (shown)
            outcome.who = std::move(*shown);
        else
            fault = std::move(shown.error());
    }
    hub_->verified(number, id, std::move(outcome), now_);
    settle();
    read_on(number);
    return fault;
}

void server::revoke(hub::revoke what) {
    hub_->receive(hub::to_session(std::move(what)), now_);
    settle();
}

void server::disconnect(connection_number number, close_code code, std::string_view reason) {
    hub_->receive(hub::to_session(hub::disconnect{{0, number}, code, std::string(reason)}), now_);
    settle();
}

// --- what befalls it ---

void server::tick() {
    for (bool more = hub_->tick(now_); more; more = hub_->tick_on(now_)) settle();
    settle();
    // By number, since reading may end a connection.
    std::vector<connection_number> waiting;
    for (const auto& [number, c] : connections_)
        if (!c.unread.empty()) waiting.push_back(number);
    for (const connection_number number : waiting) read_on(number);
}

void server::drain(std::uint32_t spread_ms) {
    hub_->drain(close_code::service_restart, spread_ms, now_);
    settle();
}

void server::hand_over(std::uint32_t spread_ms) {
    hub_->hand_over(close_code::service_restart, spread_ms, now_);
    settle();
}

void server::restart(bool keeps_log) {
    connections_.clear();
    events_.clear();
    if (!keeps_log) {
        disk_ = {};
        ++lost_;
    }
    start();
}

void server::refuse_next(operation what, error_code code, std::string_view text, std::uint32_t times) {
    refusals_[static_cast<std::size_t>(what)] = {code, std::string(text), times};
}

std::optional<server::refusal> server::take_refusal(operations wanted) {
    for (std::size_t i = 0; i < operation_count; ++i) {
        refusal& one = refusals_[i];
        if (one.times == 0 || !wanted.has(static_cast<operation>(i))) continue;
        if (one.times != UINT32_MAX) --one.times;
        return one;
    }
    return std::nullopt;
}

std::string_view server::take_events() {
    taken_.clear();
    taken_.swap(events_);
    return taken_;
}

std::string_view server::subscribers(std::string_view channel) {
    text_ = "[";
    for (const auto& [number, c] : connections_)
        if (c.channels.contains(channel))
            text_.append(text_.size() > 1 ? "," : "").append(std::to_string(number));
    text_ += ']';
    return text_;
}

// --- what the hub wants ---

void server::settle() {
    if (settling_) return;
    settling_ = true;
    while (!hub_->out().empty()) {
        work_.swap(hub_->out());
        carry_out(work_);
        work_.clear();
    }
    settling_ = false;
}

void server::carry_out(const hub::output& out) {
    for (const hub::output::send& s : out.sends)
        for (const std::uint64_t to : out.to(s)) send(s, to);
    for (const hub::output::close& one : out.closes) end(number_of(one.connection), one.code);
    for (const hub::output::rest& one : out.rests)
        if (connection* c = find(number_of(one.connection))) c->rests_until_ms = one.until_ms;
    for (const hub::output::denial& one : out.denials) event('d', number_of(one.connection), 0, one.why);
    for (const hub::output::verification& one : out.verifications) {
        std::string token = "\"";
        append_escaped(token, one.token);
        event('v', number_of(one.connection), one.number, token + "\"");
    }
    for (const hub::output::notice& one : out.notices)
        std::visit(
            overloaded{
                [this](const hub::authorize& asked) { on(asked); },
                [this](const hub::client_publish& asked) { on(asked); },
                [this](const hub::client_request& asked) { on(asked); },
                [](const auto&) {},
            },
            one.what
        );
    // The disk is as quick as memory.
    for (const hub::store_op& op : out.stores) disk_.apply(op);
    if (!out.stores.empty()) hub_->stored(out.stores.back().number, now_);
}

void server::send(const hub::output::send& s, std::uint64_t to) {
    if (to == api_connection) {
        if (api_answer_ != nullptr && s.what->id == api_id) *api_answer_ = s.what->line;
        return;
    }
    connection* const c = find(number_of(to));
    if (c == nullptr || c->ends != close_code::none) return;
    constexpr std::string_view unsubscribed = R"({"op":"unsubscribed")";
    if (s.what->kind == hub::message_kind::subscribed) c->channels.emplace(s.what->channel());
    if (s.what->line.starts_with(unsubscribed)) c->channels.erase(std::string(s.what->channel()));
    const auto how = s.replayed ? delivery::counts::as_replay : delivery::counts::as_live;
    if (c->events)
        send_event(number_of(to), *c, s.what, how);
    else
        c->queue.push_message(s.what, how);
    if (c->is_blocked) return cut_if_slow(number_of(to), *c);
    event('w', number_of(to), 0, {});
}

void server::send_event(
    connection_number number, connection& c, const hub::message_ptr& what, delivery::counts how
) {
    // Only subscribing can fail here, and without all its channels the stream cannot open.
    if (what->kind == hub::message_kind::error)
        return what->code == error_code::forbidden
                   ? end_with(number, c, close_code::unauthorized, "a channel may not be read by this client")
                   : end_with(number, c, close_code::try_again_later, "a channel cannot be read now");
    delivery::event_stream_writer& writer = *c.events;
    writer.set_time(now_.wall_ms);
    if (writer.opened()) return c.queue.push_message(what, how);
    std::string text;
    if (writer.write(what, now_.wall_ms, text) == delivery::event_stream_writer::outcome::overflow)
        return end_with(number, c, close_code::slow_consumer, "too slow");
    c.queue.push_raw(std::move(text), how);
    if (!writer.opened()) return;
    c.queue.set_framing(delivery::framing::cursor_events, &writer);
    for (const hub::message_ptr& waited : writer.take_waiting())
        c.queue.push_message(waited, delivery::counts::as_replay);
}

void server::push_close(connection& c, close_code code, std::string_view reason) {
    const hub::message_ptr close = hub::make_close(code, 0, reason);
    if (!c.events) return c.queue.push_message(close);
    std::string text;
    (void)c.events->write(close, now_.wall_ms, text);
    c.queue.push_raw(std::move(text));
}

void server::end_with(connection_number number, connection& c, close_code code, std::string_view reason) {
    push_close(c, code, reason);
    end(number, code);
    hub_->closed(number, now_);
    settle();
}

void server::end(connection_number number, close_code code) {
    connection* const c = find(number);
    if (c == nullptr || c->ends != close_code::none) return;
    c->ends = code;
    c->channels.clear();
    event('w', number, 0, {});
}

// A queue that cannot be written and is too long ends its connection.
void server::cut_if_slow(connection_number number, connection& c) {
    if (!c.queue.overflows() || c.ends != close_code::none) return;
    (void)c.queue.drop_lines();
    end_with(number, c, close_code::slow_consumer, "too slow");
}

void server::on(const hub::authorize& asked) {
    if (const auto refused = take_refusal(asked.wants))
        return hub_->receive(
            hub::to_session(hub::authorized{asked.who, asked.number, refused->code, refused->text}), now_
        );
    if (!asks_)
        return hub_->receive(
            hub::to_session(hub::authorized{asked.who, asked.number, error_code::none, {}}), now_
        );
    std::string text;
    line_writer json(text);
    json.json("operations", list_of(asked.wants))
        .name("channel", asked.channel)
        .name("session", asked.session);
    if (!asked.user.empty()) json.name("user", asked.user);
    if (!asked.type.empty()) json.name("type", asked.type);
    json.end();
    event('a', number_of(asked.who.value), asked.number, text);
}

void server::on(const hub::client_publish& asked) {
    if (auto post = gate_.judge(asked, now_.monotonic_ms)) return hub_->receive(std::move(*post), now_);
    const hub::publish& p = asked.what;
    std::string text;
    line_writer json(text);
    json.name("channel", p.channel).name("type", p.type).name("session", asked.session);
    if (!p.user.empty()) json.name("user", p.user);
    end_with_payload(json, p.payload, p.binary);
    event('p', number_of(p.from.value), gate_.last_number(), text);
}

void server::on(const hub::client_request& asked) {
    if (const auto refused = take_refusal(operation::request))
        return hub_->receive(
            hub::to_session(hub::reply{
                asked.from, hub::make_error(asked.id, refused->code, refused->text), asked.id}),
            now_
        );
    std::string text;
    line_writer json(text);
    json.name("type", asked.type).name("session", asked.session);
    if (!asked.user.empty()) json.name("user", asked.user);
    end_with_payload(json, asked.payload, asked.binary);
    event('r', number_of(asked.from.value), asked.id, text);
}

void server::event(char kind, connection_number number, std::uint64_t id, std::string_view text) {
    (events_ += kind) += ' ';
    events_.append(std::to_string(number)).append(" ").append(std::to_string(id)).append("\n");
    events_.append(text).append("\n");
}

}  // namespace pulsewire::test_server
