// /streams/<name> (docs/streams.md). Every request is carried out by the hub in the name of its client, so
// that permissions are those of the other doors; what it means for the stream, the shard's desk says.

#include "common/exchange/message_text.hpp"
#include "server/endpoint/endpoints.hpp"
#include "server/endpoint/http_conversation.hpp"
#include "server/endpoint/stream_doors.hpp"
#include "server/endpoint/stream_request.hpp"
#include "server/http/text.hpp"
#include "server/random.hpp"
#include "server/shard/node.hpp"
#include "server/shard/shard.hpp"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

namespace pulsewire::shell {
namespace {

using streams::verdict;

// The data of one answer, in bytes; beyond, the client asks on. One publication always fits.
constexpr std::size_t page_bytes = 256 * 1024;

// One request, from its reading to its answer.
class stream_call : public std::enable_shared_from_this<stream_call> {
public:
    stream_call(http_conversation& c, std::string channel) : c_(c), channel_(std::move(channel)) {}
    virtual ~stream_call() = default;

    // `first` is the command that the request comes to: who may not carry it out learns nothing.
    void begin(const command& first) {
        std::optional<hub::refusal> why;
        c_.own_shard().tell_hub([&](const hub::hub& h, hub::instant) {
            why = h.refusal_of(hub::face::api, c_.who(), first);
        });
        // What is published is checked when it is.
        if (why && why->code == error_code::forbidden) {
            const std::string user(c_.who() != nullptr ? c_.who()->user : std::string());
            c_.own_shard().note_denial({c_.owner().id(), first.op, user, channel_, why->text});
            return answer(stream_error(403, name_of(why->code), why->text));
        }
        use_ = c_.own_shard().desk().open(channel_, [this] { look(); });
        look();
    }

protected:
    // The state of the stream is known, or has changed.
    virtual void go_on() = 0;

    command about(command_op op) const {
        command made;
        made.op = op;
        made.channel = channel_;
        return made;
    }
    const streams::log& log() const { return use_.log(); }
    std::int64_t now_ms() const { return c_.own_shard().now().wall_ms; }

    void answer(response r) {
        is_done_ = true;
        c_.answer(std::move(r));
    }

    void publish(const command& what) {
        use_.expect_outcomes();
        c_.call_hub(what, [this](const hub::message& m) {
            if (m.kind == hub::message_kind::error) return answer(refused_by_hub(m));
            published_ = m.offset;
            look();
        });
    }
    // What came of publish(); nothing: that is not known yet.
    std::optional<streams::outcome> outcome() const {
        return published_ == 0 ? std::nullopt : use_.outcome_at(published_);
    }
    bool has_published() const { return published_ != 0; }

    // Gives the answer of a request that changes nothing. Where a program decides what a user may do, it is
    // asked before, because the answer says what there is.
    void answer_unchanged(response r) {
        if (!is_asked_beside_token()) return answer(std::move(r));
        command probe = about(command_op::publish);
        probe.type = streams::probe_type;
        probe.payload = "null";
        probe.transient = true;
        auto held = std::make_shared<response>(std::move(r));
        c_.call_hub(probe, [this, held](const hub::message& m) {
            answer(m.kind == hub::message_kind::error ? refused_by_hub(m) : std::move(*held));
        });
    }

    http_conversation& c_;
    stream_desk::use use_;
    const std::string channel_;

    // To be called when something has come; also within go_on().
    void look() {
        looks_again_ = true;
        if (is_looking_) return;
        const auto self = shared_from_this();
        is_looking_ = true;
        while (!is_done_ && std::exchange(looks_again_, false)) {
            switch (use_.how()) {
                case stream_desk::use::standing::loading:
                    break;
                case stream_desk::use::standing::ready:
                    go_on();
                    break;
                case stream_desk::use::standing::failed:
                    answer(stream_error(503, "overloaded", "the stream cannot be read now; try again later"));
            }
        }
        is_looking_ = false;
    }

    // The connection goes on as something else.
    void leave() { is_done_ = true; }

private:
    bool is_asked_beside_token() const {
        if (c_.who() == nullptr || c_.who()->user.empty()) return false;
        bool asked = false;
        c_.own_shard().tell_hub([&](const hub::hub& h, hub::instant) {
            const auto& all = h.settings().observers;
            asked = std::any_of(all.begin(), all.end(), [](const auto& o) { return !o.authorizes.empty(); });
        });
        return asked;
    }

    std::uint64_t published_ = 0;
    bool is_done_ = false;
    bool is_looking_ = false, looks_again_ = false;
};

// PUT.
class create_call final : public stream_call {
public:
    create_call(http_conversation& c, std::string channel, stream_creation wanted)
        : stream_call(c, std::move(channel)), wanted_(std::move(wanted)) {}

    void begin() {
        command first = about(command_op::publish);
        first.type = streams::create_type;
        first.payload = "null";
        stream_call::begin(first);
    }

private:
    void go_on() override {
        if (has_published()) {
            if (const auto o = outcome()) return tell(*o);
            return;
        }
        if (std::exchange(is_asked_, true)) return;
        const streams::outcome now = log().judge(wanted_.made, now_ms());
        if (now.what != verdict::none) return tell(now);
        const streams::written text = streams::write(wanted_.made, wanted_.data, wanted_.is_json);
        command what = about(command_op::publish);
        what.type = streams::create_type;
        what.payload = text.payload;
        what.binary = text.binary;
        publish(what);
    }

    void tell(const streams::outcome& o) {
        if (o.what == verdict::differs)
            return answer_unchanged(
                stream_error(409, "invalid_frame", "there is a stream of this name that was made otherwise")
            );
        const bool is_new = o.what == verdict::taken;
        if (!is_new && o.what != verdict::same) return answer(answer_to(o, {}, log().born_ms()));
        response r = stream_answer(is_new ? 201 : 200);
        add_place(r, {log().born_ms(), o.offset});
        r.add("Content-Type", log().made().content_type);
        if (o.closed) r.add("Stream-Closed", "true");
        const reached how = c_.own_node().has_tls() ? reached::over_tls : reached::somehow;
        if (const std::string address = stream_address(c_.asked(), how); is_new && !address.empty())
            r.add("Location", address);
        if (is_new) return answer(std::move(r));
        answer_unchanged(std::move(r));
    }

    const stream_creation wanted_;
    bool is_asked_ = false;
};

// POST.
class append_call final : public stream_call {
public:
    append_call(http_conversation& c, std::string channel, stream_addition wanted, body_is where)
        : stream_call(c, std::move(channel)), wanted_(std::move(wanted)), where_(where) {}

    void begin() {
        command first = about(command_op::publish);
        first.type = streams::append_type;
        first.payload = "null";
        stream_call::begin(first);
    }

private:
    void go_on() override {
        if (has_published()) {
            if (const auto o = outcome()) answer(answer_to(*o, wanted_, log().born_ms()));
            return;
        }
        if (std::exchange(is_asked_, true)) return;
        const bool in_pieces = where_ == body_is::in_pieces;
        const streams::outcome now =
            log().judge(wanted_.added, in_pieces || !wanted_.data.empty(), wanted_.content_type, now_ms());
        if (now.what != verdict::taken) return answer_unchanged(answer_to(now, wanted_, log().born_ms()));
        wanted_.added.of = log().born_offset();
        if (in_pieces) {
            leave();
            return append_pieces(c_, channel_, wanted_);
        }
        const streams::written text = streams::write(wanted_.added, wanted_.data, wanted_.is_json);
        command what = about(command_op::publish);
        what.type = streams::append_type;
        what.payload = text.payload;
        what.binary = text.binary;
        publish(what);
    }

    stream_addition wanted_;
    const body_is where_;
    bool is_asked_ = false;
};

// DELETE.
class delete_call final : public stream_call {
public:
    using stream_call::stream_call;

    void begin() {
        command first = about(command_op::publish);
        first.type = streams::delete_type;
        first.payload = "null";
        first.snapshot.covers = 1;
        stream_call::begin(first);
    }

private:
    // A snapshot of nothing: who may not make one may not say that all of it is gone.
    command command_for(std::uint64_t covers) const {
        command what = about(command_op::publish);
        what.type = streams::delete_type;
        what.payload = "null";
        what.snapshot.covers = covers;
        what.snapshot.epoch = use_.epoch();
        return what;
    }

    void go_on() override {
        if (has_published()) {
            if (const auto o = outcome())
                answer(o->what == verdict::taken ? stream_answer(204) : no_stream());
            return;
        }
        if (std::exchange(is_asked_, true)) return;
        if (!log().exists(now_ms())) return answer_unchanged(no_stream());
        publish(command_for(log().head()));
    }

    bool is_asked_ = false;
};

// GET and HEAD.
class read_call final : public stream_call {
public:
    read_call(http_conversation& c, std::string channel, stream_reading wanted)
        : stream_call(c, std::move(channel)), wanted_(std::move(wanted)) {}

    void begin() {
        command first = about(is_live() ? command_op::subscribe : command_op::history);
        first.id = 1;
        first.state = is_live();
        stream_call::begin(first);
    }

private:
    bool is_live() const { return wanted_.how != stream_reading::mode::catch_up; }
    bool is_head() const { return c_.asked().verb == method::head; }
    streams::place place_of(std::uint64_t offset) const { return {log().born_ms(), offset}; }

    void go_on() override {
        if (is_permitted_) return serve();
        if (std::exchange(is_asked_, true)) return;
        // It brings nothing, because the place is the newest; as long as the hub keeps the session it may
        // read on.
        command ask = about(is_live() ? command_op::subscribe : command_op::history);
        ask.state = is_live();
        ask.epoch = use_.epoch();
        ask.offset = log().head();
        ask.has_offset = true;
        if (!is_live()) ask.limit = 1;
        c_.call_hub(ask, [this](const hub::message& m) {
            if (m.kind == hub::message_kind::error) return answer(refused_by_hub(m));
            is_permitted_ = true;
            look();
        });
    }

    void serve() {
        if (!log().exists(now_ms())) return answer(no_stream());
        if (is_head()) return answer(metadata());
        if (!from_ && !find_start()) return answer(stream_gone());
        // Its life is that of the stream whose beginning was read.
        if (from_->born_ms != log().born_ms()) return answer(stream_gone());
        if (!std::exchange(is_read_, true)) use_.read();
        const bool is_new = !log().after(from_->offset).empty();
        if (wanted_.how == stream_reading::mode::sse) {
            leave();
            return read_live(c_, channel_, *from_, wanted_.cursor);
        }
        if (wanted_.how == stream_reading::mode::long_poll && !is_new) {
            if (log().closed()) return answer(nothing_new());
            if (!std::exchange(is_waiting_, true))
                c_.answer_within(c_.own_shard().bounds().stream_poll_ms, [this] { answer(nothing_new()); });
            return;
        }
        answer(page());
    }

    bool find_start() {
        switch (wanted_.from.from) {
            case streams::start::kind::beginning:
                from_ = place_of(0);
                return true;
            case streams::start::kind::now:
                from_ = place_of(log().tail());
                return true;
            case streams::start::kind::place:
                if (wanted_.from.at.born_ms != log().born_ms() || wanted_.from.at.offset > log().tail())
                    return false;
                from_ = wanted_.from.at;
                return true;
        }
        return false;
    }

    void add_standing(response& r) const {
        add_place(r, place_of(log().tail()));
        if (log().closed()) r.add("Stream-Closed", "true");
    }

    std::string cursor() const { return streams::cursor_after(wanted_.cursor, now_ms(), random_bits()); }

    response metadata() const {
        response r = stream_answer(200);
        r.has_body_elsewhere = true;
        r.content_type = log().made().content_type;
        r.add("Cache-Control", "no-store");
        add_standing(r);
        if (log().made().ttl_s) r.add("Stream-TTL", std::to_string(*log().made().ttl_s));
        if (!log().made().expires.empty()) r.add("Stream-Expires-At", log().made().expires);
        return r;
    }

    response nothing_new() const {
        response r = stream_answer(204);
        r.add("Cache-Control", "no-store");
        add_standing(r);
        r.add("Stream-Up-To-Date", "true");
        r.add("Stream-Cursor", cursor());
        return r;
    }

    // What follows the place, as much as one answer has.
    response page() const {
        response r = stream_answer(200);
        std::uint64_t next = log().tail();
        bool is_whole = true;
        if (log().is_json()) r.body.push_back('[');
        for (const streams::log::piece& p : log().after(from_->offset)) {
            is_whole = r.body.size() <= page_bytes;
            if (!is_whole) break;
            if (log().is_json() && r.body.size() > 1) r.body.push_back(',');
            r.body += p.data;
            next = p.offset;
        }
        if (log().is_json()) r.body.push_back(']');
        if (is_whole) next = log().tail();
        const bool ends = is_whole && log().closed();
        if (r.body.empty())
            r.add("Content-Type", log().made().content_type);
        else
            r.content_type = log().made().content_type;
        add_place(r, place_of(next));
        if (is_whole) r.add("Stream-Up-To-Date", "true");
        if (ends) r.add("Stream-Closed", "true");
        if (is_live()) r.add("Stream-Cursor", cursor());
        if (is_live() || wanted_.from.from == streams::start::kind::now) {
            r.add("Cache-Control", "no-store");
            return charged(std::move(r));
        }
        // What is between two places never changes, but who may read it does.
        r.add("Cache-Control", "private, no-cache");
        const std::string tag = "\"" + streams::text_of(place_of(from_->offset)) + "-" +
                                std::to_string(next) + (is_whole ? "-u" : "") + (ends ? "-c" : "") + "\"";
        r.add("ETag", tag);
        if (!knows(tag)) return charged(std::move(r));
        r.status = 304;
        r.body.clear();
        std::erase_if(r.fields, [](const auto& f) { return f.first == "Content-Type"; });
        return r;
    }

    response charged(response r) const {
        c_.own_shard().charge_answer(c_.client(), r.body.size());
        return r;
    }

    // If-None-Match (RFC 9110 13.1.2).
    bool knows(std::string_view tag) const {
        std::string_view list = c_.asked().field("If-None-Match");
        while (!list.empty()) {
            const std::size_t comma = list.find(',');
            std::string_view one = trimmed(list.substr(0, comma));
            if (one.starts_with("W/")) one.remove_prefix(2);
            if (one == tag || one == "*") return true;
            list.remove_prefix(comma == list.npos ? list.size() : comma + 1);
        }
        return false;
    }

    const stream_reading wanted_;
    std::optional<streams::place> from_;
    bool is_asked_ = false, is_permitted_ = false, is_read_ = false, is_waiting_ = false;
};

template <class Call, class... Arguments>
void start(http_conversation& c, std::string channel, Arguments&&... arguments) {
    const auto call = std::make_shared<Call>(c, std::move(channel), std::forward<Arguments>(arguments)...);
    c.hold(call);
    call->begin();
}

}  // namespace

void answer_about_stream(http_conversation& c, std::string channel) {
    switch (c.asked().verb) {
        case method::put: {
            auto wanted = read_creation(c.asked(), c.body());
            if (!wanted) return c.answer(std::move(wanted).error());
            return start<create_call>(c, std::move(channel), std::move(*wanted));
        }
        case method::post: {
            const body_is where =
                comes_in_pieces(c.asked(), c.settings()) ? body_is::in_pieces : body_is::here;
            auto wanted = read_addition(c.asked(), c.body(), where);
            if (!wanted) return c.answer(std::move(wanted).error());
            return start<append_call>(c, std::move(channel), std::move(*wanted), where);
        }
        case method::remove:
            return start<delete_call>(c, std::move(channel));
        default: {
            auto wanted = read_reading(c.asked());
            if (!wanted) return c.answer(std::move(wanted).error());
            return start<read_call>(c, std::move(channel), std::move(*wanted));
        }
    }
}

}  // namespace pulsewire::shell
