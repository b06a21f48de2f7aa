#include "common/delivery/event_stream_writer.hpp"

#include "common/exchange/message_text.hpp"

#include <algorithm>
#include <utility>

namespace pulsewire::delivery {
namespace {

std::vector<std::string> sorted_once(std::vector<std::string> names) {
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    return names;
}

// The line without its newline; `made` holds it where it is not the message's own.
std::string_view json_of(const hub::message& m, std::string&& made = {}) {
    std::string_view json = m.line;
    if (m.binary) {
        made = hub::text_line(m);
        json = made;
    }
    if (!json.empty() && json.back() == '\n') json.remove_suffix(1);
    return json;
}

// Writes the publications of one channel as every stream of just that channel does.
class lone_writer final : public shared_event_texts {
public:
    explicit lone_writer(event_stream::cursor position) : at_(std::move(position)) {}
    void write(const hub::message& m, std::string& out) override {
        at_.advance(0, m.offset);
        event_stream::append_event(out, m.type(), &at_, json_of(m));
    }

private:
    event_stream::cursor at_;
};

}  // namespace

event_stream_writer::event_stream_writer(std::vector<std::string> channels)
    : channels_(sorted_once(std::move(channels))), cursor_(channels_.size()) {}

event_stream_writer::outcome event_stream_writer::write(
    const hub::message_ptr& m, std::int64_t wall_ms, std::string& out
) {
    switch (m->kind) {
        case hub::message_kind::subscribed:
            return subscribed(m, out);
        case hub::message_kind::position:
            return moved(*m, out);
        case hub::message_kind::ping:
            if (!opened_) return outcome::nothing;
            event_stream::append_ping(out, wall_ms);
            return outcome::written;
        case hub::message_kind::close:
            event_stream::append_close(
                out, json_of(*m),
                hub::comes_back_after(*m) ? hub::after_ms_of(*m) : event_stream::retry_final_ms
            );
            return outcome::written;
        case hub::message_kind::publication:
        case hub::message_kind::direct:
            if (opened_) return write_message(*m, out);
            if (waiting_.size() == waiting_max) return outcome::overflow;
            waiting_.push_back(m);
            return outcome::written;
        default:
            return outcome::nothing;
    }
}

void event_stream_writer::skip(
    std::string_view channel, std::uint64_t offset, std::string_view reason, std::string& out
) {
    const auto index = index_of(channel);
    if (!index || offset <= cursor_.at(*index).offset) return;
    cursor_.advance(*index, offset);
    event_stream::append_gap(out, channel, reason, &cursor_);
}

std::optional<std::size_t> event_stream_writer::index_of(std::string_view channel) const {
    const auto found = std::lower_bound(channels_.begin(), channels_.end(), channel);
    if (found == channels_.end() || *found != channel) return std::nullopt;
    return static_cast<std::size_t>(found - channels_.begin());
}

event_stream_writer::outcome event_stream_writer::subscribed(const hub::message_ptr& m, std::string& out) {
    const auto index = index_of(m->channel());
    if (!index || opened_) return outcome::nothing;
    cursor_.set(*index, m->epoch(), m->offset);
    if (!m->recovered) unrecovered_.push_back(m);
    if (!opened_ && cursor_.complete()) open(out);
    return outcome::written;
}

// The epoch of a subscription that goes on has another name. The next event has the id that says so.
event_stream_writer::outcome event_stream_writer::moved(const hub::message& m, std::string& out) {
    const auto index = index_of(m.channel());
    if (!index) return outcome::nothing;
    cursor_.set(*index, m.epoch(), m.offset);
    if (m.recovered || !opened_) return outcome::nothing;
    event_stream::append_gap(out, m.channel(), m.reason(), &cursor_);
    return outcome::written;
}

void event_stream_writer::open(std::string& out) {
    opened_ = true;
    // The id goes behind the last gap: a connection that breaks before it comes back with the old cursor, and
    // is told again what it missed.
    event_stream::append_open(out, channels_, cursor_, unrecovered_.empty() ? &cursor_ : nullptr, retry_ms_);
    for (std::size_t i = 0; i < unrecovered_.size(); ++i) {
        const bool last = i + 1 == unrecovered_.size();
        event_stream::append_gap(
            out, unrecovered_[i]->channel(), unrecovered_[i]->reason(), last ? &cursor_ : nullptr
        );
    }
    unrecovered_ = {};
}

event_stream_writer::outcome event_stream_writer::write_message(const hub::message& m, std::string& out) {
    if (m.kind == hub::message_kind::direct) {
        event_stream::append_event(out, m.type(), nullptr, json_of(m));
        return outcome::written;
    }
    const auto index = index_of(m.channel());
    if (!index) return outcome::nothing;
    // A publication does not say its epoch: it is that of the subscription (4.3).
    if (m.offset <= cursor_.at(*index).offset) return outcome::nothing;
    cursor_.advance(*index, m.offset);
    event_stream::append_event(out, m.type(), &cursor_, json_of(m));
    return outcome::written;
}

void event_stream_writer::write_gap(
    std::string_view channel, std::uint64_t offset, slow_consumer why, std::string& out
) {
    skip(channel, offset, hub::gap_reason(why), out);
}

std::unique_ptr<shared_event_texts> event_stream_writer::shared_texts() const {
    return std::make_unique<lone_writer>(cursor_);
}

bool event_stream_writer::continues(std::span<const hub::message_ptr> messages) {
    if (messages.front()->offset <= cursor_.at(0).offset) return false;
    cursor_.advance(0, messages.back()->offset);
    return true;
}

}  // namespace pulsewire::delivery
