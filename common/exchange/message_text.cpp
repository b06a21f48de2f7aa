#include "common/exchange/message_text.hpp"

#include "common/base/base64.hpp"
#include "common/base/decimal.hpp"
#include "common/base/string_writer.hpp"
#include "common/protocol/line_writer.hpp"

namespace pulsewire::hub {
namespace {

using piece = message::part;

// Writes a line and remembers the places of the parts that a message points to.
class message_writer {
public:
    // `bytes` is about the length of the finished line.
    explicit message_writer(message_kind kind, std::size_t bytes = usual_bytes)
        : made_(std::make_shared<message>(bytes)), out_(made_->line), line_(out_) {
        made_->kind = kind;
    }
    message_writer(message_kind kind, std::string_view op) : message_writer(kind) { name("op", op); }
    // The answer to the command `id`.
    message_writer(message_kind kind, std::string_view op, std::uint64_t id) : message_writer(kind, op) {
        made_->id = id;
        if (id != 0) number("id", id);
    }
    message_writer(const message_writer&) = delete;
    message_writer& operator=(const message_writer&) = delete;

    message& fields() { return *made_; }

    message_writer& name(std::string_view key, std::string_view value) {
        line_.name(key, value);
        return *this;
    }
    message_writer& name(std::string_view key, std::string_view value, piece p) {
        line_.name(key, value);
        return note(p, out_.size() - 1 - value.size(), value.size());
    }

    message_writer& text(std::string_view key, std::string_view value) {
        line_.text(key, value);
        return *this;
    }
    message_writer& text(std::string_view key, std::string_view value, piece p) {
        // The text may grow while it is escaped, so its place is measured and not computed from `value`.
        const std::size_t begin = out_.size() + key.size() + 5;  // ,"key":"
        line_.text(key, value);
        return note(p, begin, out_.size() - 1 - begin);
    }

    message_writer& number(std::string_view key, std::uint64_t value) {
        line_.number(key, value);
        return *this;
    }

    message_writer& flag(std::string_view key, bool value) {
        line_.flag(key, value);
        return *this;
    }

    message_writer& json(std::string_view key, std::string_view value) {
        line_.json(key, value);
        return *this;
    }

    message_writer& payload(std::string_view json) {
        line_.payload_key();
        out_ += json;
        return note(piece::payload, out_.size() - json.size(), json.size());
    }

    // The last part of a frame: JSON, or bytes behind the line.
    message_ptr end_with(std::string_view payload_text, bool binary) {
        if (!binary) return payload(payload_text).end();
        made_->binary = true;
        line_.number("bytes", payload_text.size()).end();
        out_.add('\n', payload_text);
        note(piece::payload, out_.size() - payload_text.size(), payload_text.size());
        out_.finish();
        return std::move(made_);
    }

    message_ptr end() {
        line_.end();
        out_.push_back('\n');
        out_.finish();
        return std::move(made_);
    }

private:
    static constexpr std::size_t usual_bytes = 160;

    message_writer& note(piece p, std::size_t begin, std::size_t size) {
        made_->place_of(p) = {static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(size)};
        return *this;
    }

    std::shared_ptr<message> made_;
    string_writer out_;
    basic_line_writer<string_writer> line_;
};

// Of snapshots. They stand before the offset, where usual publications have none.
constexpr std::string_view covers_key = R"(,"covers":)", part_key = R"(,"part":)", parts_key = R"(,"parts":)";

// The exact length of a publication's line, because a history should not keep strings that are half empty.
std::size_t line_bytes(const publish_view& p, std::uint64_t offset, std::int64_t wall_ms) {
    const auto member = [](std::string_view begin, std::size_t value) { return begin.size() + value; };
    std::size_t bytes = member(R"({"type":"")", p.type.size()) +
                        member(R"(,"channel":"")", p.channel.size()) +
                        member(R"(,"time":)", decimal_digits(static_cast<std::uint64_t>(wall_ms))) +
                        p.payload.size() + sizeof "}\n" - 1;
    bytes +=
        p.binary ? member(R"(,"bytes":)", decimal_digits(p.payload.size())) : member(R"(,"payload":)", 0);
    if (offset != 0) bytes += member(R"(,"offset":)", decimal_digits(offset));
    if (!p.except.empty()) bytes += member(R"(,"except":"")", p.except.size());
    if (!p.conflate.empty()) bytes += member(R"(,"conflate":"")", p.conflate.size());
    if (!p.user.empty()) bytes += member(R"(,"user":"")", p.user.size());
    if (p.snapshot) {
        bytes += member(covers_key, decimal_digits(p.snapshot.covers));
        if (p.snapshot.parts > 1)
            bytes += member(part_key, decimal_digits(p.snapshot.part)) +
                     member(parts_key, decimal_digits(p.snapshot.parts)) +
                     member(R"(,"snapshot":"")", p.snapshot.id.size());
    }
    return bytes;
}

// The number behind the key in the line's head; 0 where it is not.
std::uint64_t number_behind(std::string_view key, std::string_view head) {
    const std::size_t at = head.find(key);
    if (at == head.npos) return 0;
    std::uint64_t number = 0;
    for (std::size_t i = at + key.size(); i < head.size() && head[i] >= '0' && head[i] <= '9'; ++i)
        number = number * 10 + static_cast<std::uint64_t>(head[i] - '0');
    return number;
}

// The names in a head need no escapes, so a key of a number is found in it once or not at all.
std::string_view head_of(const message& m) {
    return std::string_view(m.line).substr(0, m.line.size() - m.payload().size());
}

// Readers look for the payload behind the first of these keys (3.2), so no other may look like it.
std::string without_payload_key(std::string json) {
    constexpr std::string_view key = R"("payload")", same = R"("payloa\u0064")";
    for (std::size_t at = 0; (at = json.find(key, at)) != json.npos; at += same.size())
        json.replace(at, key.size(), same);
    return json;
}

// Everything before `,"bytes":…` of the line, and the bytes in base64.
void append_in_base64(std::string& to, const message& m) {
    const std::string_view payload = m.payload();
    std::string_view head(m.line.data(), m.line.size() - payload.size());
    head = head.substr(0, head.rfind(','));
    constexpr std::string_view key = R"(,"binary":true,"payload":")";
    const std::size_t begin = to.size() + head.size() + key.size();
    to.reserve(begin + base64_size(payload.size()) + 3);
    to.append(head).append(key).resize(begin + base64_size(payload.size()));
    write_base64(to.data() + begin, payload);
    to.append("\"}");
}

}  // namespace

message_ptr make_message(
    const publish_view& p, std::uint64_t offset, std::int64_t wall_ms, slow_consumer when_slow
) {
    message_writer w(
        offset != 0 ? message_kind::publication : message_kind::direct, line_bytes(p, offset, wall_ms)
    );
    w.name("type", p.type, piece::type).name("channel", p.channel, piece::channel);
    if (p.snapshot) {
        w.number("covers", p.snapshot.covers);
        if (p.snapshot.parts > 1)
            w.number("part", p.snapshot.part)
                .number("parts", p.snapshot.parts)
                .name("snapshot", p.snapshot.id);
        w.fields().is_snapshot = true;
    }
    if (offset != 0) w.number("offset", offset);
    w.number("time", static_cast<std::uint64_t>(wall_ms));
    if (!p.except.empty()) w.name("except", p.except, piece::except);
    if (!p.conflate.empty()) w.name("conflate", p.conflate, piece::conflate);
    if (!p.user.empty()) w.name("user", p.user, piece::user);
    w.fields().offset = offset;
    w.fields().time_ms = wall_ms;
    w.fields().when_slow = when_slow;
    return w.end_with(p.payload, p.binary);
}

snapshot_view snapshot_of(const message& m) {
    snapshot_view s;
    if (!m.is_snapshot) return s;
    const std::string_view head = head_of(m);
    s.covers = number_behind(covers_key, head);
    const auto parts = static_cast<std::uint16_t>(number_behind(parts_key, head));
    if (parts < 2) return s;
    s.parts = parts;
    s.part = static_cast<std::uint16_t>(number_behind(part_key, head));
    constexpr std::string_view id_key = R"("snapshot":")";
    const std::size_t id = head.find(id_key) + id_key.size();
    s.id = head.substr(id, head.find('"', id) - id);
    return s;
}

message_ptr make_snapshot_mark(const message& m) {
    message_writer w(message_kind::publication);
    w.name("type", m.type(), piece::type).name("channel", m.channel(), piece::channel);
    w.number("covers", snapshot_of(m).covers).number("offset", m.offset);
    w.number("time", static_cast<std::uint64_t>(m.time_ms));
    w.fields().offset = m.offset;
    w.fields().time_ms = m.time_ms;
    w.fields().when_slow = m.when_slow;
    w.fields().is_snapshot = true;
    return w.payload("null").end();
}

message_ptr make_snapshot_part(const message& m) {
    const snapshot_view s = snapshot_of(m);
    message_writer w(message_kind::direct, m.line.size() + 32);
    w.name("type", m.type(), piece::type).name("channel", m.channel(), piece::channel);
    w.number("part", s.part).number("parts", s.parts);
    if (s.part == s.parts) w.number("offset", s.covers);
    w.number("time", static_cast<std::uint64_t>(m.time_ms));
    if (!m.user().empty()) w.name("user", m.user(), piece::user);
    w.fields().time_ms = m.time_ms;
    return w.end_with(m.payload(), m.binary);
}

message_ptr make_snapshot_wanted(std::string_view channel) {
    return message_writer(message_kind::answer, "snapshot_wanted")
        .name("channel", channel, piece::channel)
        .end();
}

message_ptr make_direct(
    std::string_view channel, std::string_view type, std::string_view payload, bool binary
) {
    message_writer w(message_kind::direct);
    return w.name("type", type, piece::type)
        .name("channel", channel, piece::channel)
        .end_with(payload, binary);
}

std::string text_line(const message& m) {
    std::string line;
    append_in_base64(line, m);
    return line += '\n';
}

void append_json(std::string& to, const message& m) {
    if (m.binary) return append_in_base64(to, m);
    to.append(m.line, 0, m.line.size() - 1);
}

message_ptr make_welcome(const welcome_fields& f, const limits& bounds) {
    message_writer w(message_kind::welcome, "welcome", f.id);
    w.name("session", f.session);
    if (!f.user.empty()) w.name("user", f.user);
    if (f.expires_in_ms != 0) w.number("expires_in_ms", f.expires_in_ms);
    if (!f.secret.empty()) w.name("connection", f.secret);
    if (f.degraded) w.flag("degraded", true);
    if (f.binary) w.flag("binary", true);
    w.fields().takes_binary = f.binary;
    return w.text("server", f.server)
        .number("ping_ms", bounds.ping_ms)
        .number("pong_ms", bounds.pong_ms)
        .number("message_bytes_max", bounds.message_bytes_max)
        .number("channels_max", bounds.channels_per_connection_max)
        .number("requests_max", bounds.requests_per_connection_max)
        .number("commands_per_second", bounds.commands_per_second)
        .end();
}

message_ptr make_refreshed(std::uint64_t id, std::uint64_t expires_in_ms) {
    return message_writer(message_kind::answer, "refreshed", id).number("expires_in_ms", expires_in_ms).end();
}

message_ptr make_refresh_wanted(std::uint32_t within_ms, std::string_view reason) {
    return message_writer(message_kind::answer, "refresh_wanted")
        .number("within_ms", within_ms)
        .name("reason", reason)
        .end();
}

message_ptr make_subscribe(std::string_view channel) {
    return message_writer(message_kind::answer, "subscribe").name("channel", channel, piece::channel).end();
}

message_ptr make_subscribed(const subscribed_fields& f) {
    message_writer w(message_kind::subscribed, "subscribed", f.id);
    w.name("channel", f.channel, piece::channel)
        .name("epoch", f.epoch, piece::epoch)
        .number("offset", f.offset)
        .number("replay", f.replay);
    w.fields().offset = f.tail_from.value_or(f.offset);
    w.fields().recovered = f.reason.empty();
    if (f.asked_to_recover) w.flag("recovered", f.reason.empty());
    if (!f.reason.empty()) w.name("reason", f.reason, piece::reason);
    return w.end();
}

message_ptr make_position(
    std::string_view channel, std::string_view epoch, std::uint64_t offset, std::string_view reason
) {
    message_writer w(message_kind::position, "position");
    w.name("channel", channel, piece::channel)
        .name("epoch", epoch, piece::epoch)
        .number("offset", offset)
        .flag("recovered", reason.empty());
    if (!reason.empty()) w.name("reason", reason, piece::reason);
    w.fields().offset = offset;
    w.fields().recovered = reason.empty();
    return w.end();
}

message_ptr make_standing(bool is_degraded) {
    if (!is_degraded) return message_writer(message_kind::standing, "restored").end();
    message_writer w(message_kind::standing, "degraded");
    return w.text("message", "the server does not reach its broker", piece::text).end();
}

message_ptr make_unsubscribed(std::uint64_t id, std::string_view channel, std::string_view reason) {
    message_writer w(message_kind::answer, "unsubscribed", id);
    w.name("channel", channel, piece::channel);
    if (!reason.empty()) w.name("reason", reason, piece::reason);
    return w.end();
}

message_ptr make_published(
    std::uint64_t id, std::string_view channel, std::string_view epoch, std::uint64_t offset
) {
    message_writer w(message_kind::published, "published", id);
    w.name("channel", channel, piece::channel);
    w.fields().offset = offset;
    if (offset != 0) w.name("epoch", epoch, piece::epoch).number("offset", offset);
    return w.end();
}

message_ptr make_response(std::uint64_t id, std::string_view payload, bool binary) {
    return message_writer(message_kind::answer, "response", id).end_with(payload, binary);
}

message_ptr make_request(std::uint64_t number, const ask& what) {
    message_writer w(message_kind::question, "request");
    w.number("request", number).name("channel", what.channel).name("from", what.session);
    if (!what.user.empty()) w.name("user", what.user);
    return w.name("type", what.type)
        .number("timeout_ms", what.timeout_ms)
        .end_with(what.payload, what.binary);
}

message_ptr make_cancel(std::string_view channel, std::uint64_t number) {
    return message_writer(message_kind::question, "cancel")
        .number("request", number)
        .name("channel", channel)
        .end();
}

message_ptr make_history(
    std::uint64_t id, std::string_view channel, std::string_view epoch, std::uint64_t head, bool more,
    bool missed, std::string_view publications
) {
    message_writer w(message_kind::history, "history", id);
    w.name("channel", channel, piece::channel).name("epoch", epoch, piece::epoch).number("offset", head);
    w.fields().offset = head;
    w.fields().more = more;
    w.fields().missed = missed;
    w.flag("more", more);
    if (missed) w.flag("missed", true);
    return w.payload(publications).end();
}

message_ptr make_members(std::uint64_t id, std::string_view channel, std::string_view members, bool more) {
    // With an id it answers a query; without one it is an event of the subscription.
    message_writer w(id != 0 ? message_kind::answer : message_kind::presence, "presence", id);
    w.name("channel", channel, piece::channel);
    w.fields().more = more;
    if (more) w.flag("more", true);
    return w.payload(members).end();
}

message_ptr make_join(std::string_view channel, std::string_view session, const shown& as) {
    message_writer w(message_kind::presence, "join");
    w.name("channel", channel, piece::channel).name("session", session);
    if (!as.user.empty()) w.name("user", as.user);
    if (!as.user_info.empty()) w.json("user_info", without_payload_key(as.user_info));
    return w.payload(as.info).end();
}

message_ptr make_leave(std::string_view channel, std::string_view session) {
    message_writer w(message_kind::presence, "leave");
    return w.name("channel", channel, piece::channel).name("session", session).end();
}

message_ptr make_error(
    std::uint64_t id, error_code code, std::string_view text, std::string_view pointer, std::uint64_t offset
) {
    message_writer w(message_kind::error, "error", id);
    w.fields().code = code;
    w.name("code", name_of(code));
    if (!pointer.empty()) w.text("pointer", pointer, piece::pointer);
    w.fields().offset = offset;
    if (offset != 0) w.number("offset", offset);
    return w.text("message", text, piece::text).end();
}

std::string_view gap_reason(slow_consumer why) {
    return why == slow_consumer::latest_per_key ? "replaced" : "dropped";
}

std::string make_gap(std::string_view channel, std::uint64_t offset, slow_consumer why) {
    std::string line;
    line_writer w(line, "gap");
    w.name("channel", channel).number("offset", offset).name("reason", gap_reason(why)).end();
    line.push_back('\n');
    return line;
}

message_ptr make_ping() {
    return message_writer(message_kind::ping, "ping").end();
}

message_ptr make_pong(std::uint64_t id) {
    return message_writer(message_kind::pong, "pong", id).end();
}

message_ptr make_drain(std::uint32_t after_ms, std::string_view url) {
    message_writer w(message_kind::drain, "drain");
    w.number("after_ms", after_ms);
    if (!url.empty()) w.name("url", url);
    return w.end();
}

std::uint32_t after_ms_of(const message& close) {
    constexpr std::string_view name = "\"after_ms\":";
    // The server's own text, in which nothing of others comes before the number.
    const std::size_t at = close.line.find(name);
    std::uint32_t ms = 0;
    if (at == std::string::npos) return ms;
    for (std::size_t i = at + name.size(); close.line[i] >= '0' && close.line[i] <= '9'; ++i)
        ms = ms * 10 + static_cast<std::uint32_t>(close.line[i] - '0');
    return ms;
}

bool comes_back_after(const message& close) {
    return close.line.find("\"reconnect\":true") != std::string::npos;
}

message_ptr make_close(
    close_code code, std::uint32_t after_ms, std::string_view text, std::string_view url,
    std::string_view reason
) {
    const auto number = static_cast<std::uint16_t>(code);
    message_writer w(message_kind::close, "close");
    w.number("code", number).flag("reconnect", should_reconnect(number));
    if (after_ms != 0) w.number("after_ms", after_ms);
    if (!url.empty()) w.name("url", url);
    if (!reason.empty()) w.name("reason", reason, piece::reason);
    return w.text("message", text, piece::text).end();
}

}  // namespace pulsewire::hub
