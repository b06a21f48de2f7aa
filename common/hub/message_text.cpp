#include "common/hub/message_text.hpp"

#include "common/protocol/line_writer.hpp"

namespace pulsewire::hub {
namespace {

// Writes a line and remembers where the parts that messages point to stand.
class message_writer {
public:
    // `bytes`: about how long the line becomes.
    explicit message_writer(message_kind kind, std::size_t bytes = 0)
        : made_(blank(kind, bytes)), line_(made_->line) {}
    message_writer(message_kind kind, std::string_view op)
        : made_(blank(kind, usual_bytes)), line_(made_->line, op) {}

    message& fields() { return *made_; }

    message_writer& name(
        std::string_view key, std::string_view value, std::string_view message::*view = nullptr
    ) {
        line_.name(key, value);
        return note(view, size() - 1 - value.size(), value.size());
    }

    message_writer& text(
        std::string_view key, std::string_view value, std::string_view message::*view = nullptr
    ) {
        const std::size_t begin = size() + key.size() + 5;  // ,"key":"
        line_.text(key, value);
        return note(view, begin, size() - 1 - begin);
    }

    message_writer& number(std::string_view key, std::uint64_t value) {
        line_.number(key, value);
        return *this;
    }

    message_writer& flag(std::string_view key, bool value) {
        line_.flag(key, value);
        return *this;
    }

    message_writer& payload(std::string_view json) {
        line_.payload_key();
        made_->line += json;
        return note(&message::payload, size() - json.size(), json.size());
    }

    message_ptr end() {
        line_.end();
        made_->line.push_back('\n');
        for (std::size_t i = 0; i < noted_; ++i)
            (*made_).*notes_[i].view = std::string_view(made_->line).substr(notes_[i].begin, notes_[i].size);
        return std::move(made_);
    }

private:
    struct place {
        std::string_view message::*view;
        std::size_t begin, size;
    };

    static constexpr std::size_t usual_bytes = 160;

    static std::shared_ptr<message> blank(message_kind kind, std::size_t bytes) {
        auto made = std::make_shared<message>();
        made->kind = kind;
        made->line.reserve(bytes);
        return made;
    }
    std::size_t size() const { return made_->line.size(); }

    message_writer& note(std::string_view message::*view, std::size_t begin, std::size_t size) {
        if (view != nullptr) notes_[noted_++] = {view, begin, size};
        return *this;
    }

    std::shared_ptr<message> made_;
    line_writer line_;
    place notes_[6];
    std::size_t noted_ = 0;
};

message_writer answer(message_kind kind, std::string_view op, std::uint64_t id) {
    message_writer w(kind, op);
    w.fields().id = id;
    if (id != 0) w.number("id", id);
    return w;
}

std::size_t digits(std::uint64_t number) {
    std::size_t count = 1;
    for (; number >= 10; number /= 10) ++count;
    return count;
}

// How long a publication's line is: what is kept in history should not be half empty.
std::size_t line_bytes(const publish_view& p, std::uint64_t offset, std::int64_t wall_ms) {
    const auto member = [](std::string_view begin, std::size_t value) { return begin.size() + value; };
    std::size_t bytes = member(R"({"type":"")", p.type.size()) +
                        member(R"(,"channel":"")", p.channel.size()) +
                        member(R"(,"time":)", digits(static_cast<std::uint64_t>(wall_ms))) +
                        member(R"(,"payload":)", p.payload.size()) + sizeof "}\n" - 1;
    if (offset != 0) bytes += member(R"(,"offset":)", digits(offset));
    if (!p.except.empty()) bytes += member(R"(,"except":"")", p.except.size());
    if (!p.conflate.empty()) bytes += member(R"(,"conflate":"")", p.conflate.size());
    return bytes;
}

}  // namespace

message_ptr make_message(
    const publish_view& p, std::uint64_t offset, std::int64_t wall_ms, slow_consumer when_slow
) {
    message_writer w(
        offset != 0 ? message_kind::publication : message_kind::direct, line_bytes(p, offset, wall_ms)
    );
    w.name("type", p.type, &message::type).name("channel", p.channel, &message::channel);
    if (offset != 0) w.number("offset", offset);
    w.number("time", static_cast<std::uint64_t>(wall_ms));
    if (!p.except.empty()) w.name("except", p.except, &message::except);
    if (!p.conflate.empty()) w.name("conflate", p.conflate, &message::conflate);
    w.fields().offset = offset;
    w.fields().time_ms = wall_ms;
    w.fields().when_slow = when_slow;
    return w.payload(p.payload).end();
}

message_ptr make_direct(std::string_view channel, std::string_view type, std::string_view payload) {
    message_writer w(message_kind::direct);
    return w.name("type", type, &message::type)
        .name("channel", channel, &message::channel)
        .payload(payload)
        .end();
}

message_ptr make_welcome(
    std::uint64_t id, std::string_view session, std::string_view secret, std::string_view server,
    const limits& bounds
) {
    message_writer w = answer(message_kind::welcome, "welcome", id);
    w.name("session", session);
    if (!secret.empty()) w.name("connection", secret);
    return w.text("server", server)
        .number("ping_ms", bounds.ping_ms)
        .number("pong_ms", bounds.pong_ms)
        .number("message_bytes_max", bounds.message_bytes_max)
        .number("channels_max", bounds.channels_per_connection_max)
        .number("requests_max", bounds.requests_per_connection_max)
        .end();
}

message_ptr make_subscribed(const subscribed_fields& f) {
    message_writer w = answer(message_kind::subscribed, "subscribed", f.id);
    w.name("channel", f.channel, &message::channel)
        .name("epoch", f.epoch, &message::epoch)
        .number("offset", f.offset)
        .number("replay", f.replay);
    w.fields().offset = f.offset;
    w.fields().recovered = f.reason.empty();
    if (f.asked_to_recover) w.flag("recovered", f.reason.empty());
    if (!f.reason.empty()) w.name("reason", f.reason, &message::reason);
    return w.end();
}

message_ptr make_unsubscribed(std::uint64_t id, std::string_view channel) {
    return answer(message_kind::answer, "unsubscribed", id).name("channel", channel, &message::channel).end();
}

message_ptr make_published(
    std::uint64_t id, std::string_view channel, std::string_view epoch, std::uint64_t offset
) {
    message_writer w = answer(message_kind::published, "published", id);
    w.name("channel", channel, &message::channel);
    w.fields().offset = offset;
    if (offset != 0) w.name("epoch", epoch, &message::epoch).number("offset", offset);
    return w.end();
}

message_ptr make_response(std::uint64_t id, std::string_view payload) {
    return answer(message_kind::answer, "response", id).payload(payload).end();
}

message_ptr make_request(
    std::uint64_t number, std::string_view channel, std::string_view from, std::string_view type,
    std::uint32_t timeout_ms, std::string_view payload
) {
    message_writer w(message_kind::question, "request");
    w.number("request", number).name("channel", channel).name("from", from).name("type", type);
    return w.number("timeout_ms", timeout_ms).payload(payload).end();
}

message_ptr make_cancel(std::string_view channel, std::uint64_t number) {
    return message_writer(message_kind::question, "cancel")
        .number("request", number)
        .name("channel", channel)
        .end();
}

message_ptr make_history(
    std::uint64_t id, std::string_view channel, std::string_view epoch, std::uint64_t head, bool more,
    std::string_view publications
) {
    message_writer w = answer(message_kind::history, "history", id);
    w.name("channel", channel, &message::channel)
        .name("epoch", epoch, &message::epoch)
        .number("offset", head);
    w.fields().offset = head;
    w.fields().more = more;
    return w.flag("more", more).payload(publications).end();
}

message_ptr make_members(std::uint64_t id, std::string_view channel, std::string_view members) {
    // As the answer to a query it goes to whoever asked; otherwise it is an event of the subscription.
    const message_kind kind = id != 0 ? message_kind::answer : message_kind::presence;
    return answer(kind, "presence", id).name("channel", channel, &message::channel).payload(members).end();
}

message_ptr make_join(std::string_view channel, std::string_view session, std::string_view info) {
    message_writer w(message_kind::presence, "join");
    return w.name("channel", channel, &message::channel).name("session", session).payload(info).end();
}

message_ptr make_leave(std::string_view channel, std::string_view session) {
    message_writer w(message_kind::presence, "leave");
    return w.name("channel", channel, &message::channel).name("session", session).end();
}

message_ptr make_error(std::uint64_t id, error_code code, std::string_view text, std::string_view pointer) {
    message_writer w = answer(message_kind::error, "error", id);
    w.fields().code = code;
    w.name("code", name_of(code));
    if (!pointer.empty()) w.text("pointer", pointer, &message::pointer);
    return w.text("message", text, &message::text).end();
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
    return answer(message_kind::pong, "pong", id).end();
}

message_ptr make_drain(std::uint32_t after_ms, std::string_view url) {
    message_writer w(message_kind::drain, "drain");
    w.number("after_ms", after_ms);
    if (!url.empty()) w.name("url", url);
    return w.end();
}

message_ptr make_close(close_code code, std::uint32_t after_ms, std::string_view text, std::string_view url) {
    const auto number = static_cast<std::uint16_t>(code);
    message_writer w(message_kind::close, "close");
    w.number("code", number).flag("reconnect", should_reconnect(number));
    if (after_ms != 0) w.number("after_ms", after_ms);
    if (!url.empty()) w.name("url", url);
    return w.text("message", text, &message::text).end();
}

}  // namespace pulsewire::hub
