// GET /events: channels as a plain event stream, for EventSource and curl (protocol 8.4).

#include "common/delivery/event_stream_writer.hpp"
#include "common/exchange/message_text.hpp"
#include "common/protocol/event_stream.hpp"
#include "common/protocol/names.hpp"
#include "server/endpoint/endpoints.hpp"
#include "server/endpoint/http_conversation.hpp"
#include "server/http/text.hpp"
#include "server/random.hpp"
#include "server/shard/shard.hpp"
#include "server/transport/event_conversation.hpp"
#include "server/transport/event_response.hpp"

#include <optional>
#include <span>
#include <utility>

namespace pulsewire::shell {
namespace {

using position = event_stream::cursor;

command subscribing(std::string_view channel, std::uint64_t latest) {
    command c;
    c.op = command_op::subscribe;
    c.channel = channel;
    c.latest = latest;
    return c;
}

class events final : public event_conversation {
public:
    events(
        connection& owner, shard& own_shard, const address& client, delivery::event_stream_writer writer,
        std::optional<position> resume, std::uint64_t latest, access::principal_ptr who
    )
        : event_conversation(transport::events, owner, own_shard),
          client_(client),
          writer_(std::move(writer)),
          resume_(std::move(resume)),
          latest_(latest),
          who_(std::move(who)) {}

    void on_begin() override {
        own_shard().tell_hub([&](hub::hub& h, hub::instant now) {
            h.open(owner().id(), hub::face::event_stream, {}, random_secret(), now, owner().source(), who_);
            for (std::size_t i = 0; i < writer_.channels().size(); ++i)
                h.execute(owner().id(), subscribe_to(i), now);
        });
        resume_.reset();
    }

    void on_message(const hub::message_ptr& m, delivery::counts how) override {
        // Only subscribing can fail here, and without all its channels the stream cannot open.
        if (m->kind == hub::message_kind::error)
            return m->code == error_code::forbidden
                       ? end_with(close_code::unauthorized, "a channel may not be read by this client")
                       : end_with(close_code::try_again_later, "a channel cannot be read now");
        writer_.set_time(own_shard().now().wall_ms);
        if (how == delivery::counts::as_replay) charge(m->line.size());
        if (writer_.opened()) {
            owner().out().push_message(m, how);
            return owner().flush_soon();
        }
        std::string text;
        const auto outcome = writer_.write(m, own_shard().now().wall_ms, text);
        if (outcome == delivery::event_stream_writer::outcome::overflow) return on_overflow();
        owner().out().push_raw(std::move(text), how);
        if (writer_.opened()) {
            // From here on an event gets its text when its turn comes, because its cursor says what went
            // before. What waited is mostly replayed, and references to what the history holds.
            owner().out().set_framing(delivery::framing::cursor_events, &writer_);
            for (const hub::message_ptr& waited : writer_.take_waiting())
                owner().out().push_message(waited, delivery::counts::as_replay);
        }
        owner().flush_soon();
    }

private:
    // In parts, so that a small message is not free.
    void charge(std::size_t bytes) {
        constexpr std::size_t part_bytes = 4 * answer_bytes_per_command;
        replayed_bytes_ += bytes;
        if (replayed_bytes_ >= part_bytes)
            own_shard().charge_answer(client_, std::exchange(replayed_bytes_, 0));
    }

    command subscribe_to(std::size_t index) const {
        command c = subscribing(writer_.channels()[index], latest_);
        c.id = index + 1;
        if (resume_) {
            c.epoch = resume_->at(index).epoch;
            c.offset = resume_->at(index).offset;
            c.has_offset = true;
        }
        return c;
    }

    void push_close(const hub::message_ptr& close) override {
        std::string text;
        (void)writer_.write(close, own_shard().now().wall_ms, text);
        owner().out().push_raw(std::move(text));
    }

    address client_;
    std::size_t replayed_bytes_ = 0;  // not paid yet
    delivery::event_stream_writer writer_;
    std::optional<position> resume_;
    std::uint64_t latest_;
    access::principal_ptr who_;
};

// The position after which the stream goes on. Browsers send the field. A page cannot set it for the first
// connection, and libraries that stand in for EventSource append their position to the query under names of
// their own. The newest counts: the field, then what such a library appended, then what the page wrote into
// the address, which is used again for every connection.
std::string position_in(const request& r) {
    if (const auto field = r.field("Last-Event-ID"); !field.empty()) return std::string(field);
    for (const std::string_view name : {"lastEventId", "lastEventID", "Last-Event-ID", "last_event_id"}) {
        auto values = r.parameters(name);
        if (!values.empty() && !values.back().empty()) return std::move(values.back());
    }
    return {};
}

response bad_request(error_code code, std::string_view message) {
    return error_response(400, code, message);
}

// The refusal of a channel that this client may not read, as a status: EventSource would come back to a
// stream for ever.
std::optional<response> refused(
    const http_conversation& c, const std::vector<std::string>& channels, std::uint64_t latest
) {
    for (const std::string& name : channels) {
        const command wanted = subscribing(name, latest);
        std::optional<hub::refusal> why;
        c.own_shard().tell_hub([&](const hub::hub& h, hub::instant) {
            why = h.refusal_of(hub::face::event_stream, c.who(), wanted);
        });
        if (!why) continue;
        const std::string user(c.who() != nullptr ? c.who()->user : std::string());
        c.own_shard().note_denial({c.owner().id(), wanted.op, user, name, why->text});
        return error_response(403, why->code, why->text);
    }
    return std::nullopt;
}

}  // namespace

void open_events(http_conversation& c) {
    auto channels = c.asked().parameters("channel");
    // Of the user's token, where the address names none.
    if (channels.empty() && c.who() != nullptr) channels = c.who()->subscribe;
    if (channels.empty())
        return c.answer(
            bad_request(error_code::invalid_channel, "name a channel: /events?channel=<name>&channel=<name>")
        );
    for (const std::string& name : channels) {
        if (is_channel(name)) continue;
        return c.answer(bad_request(
            error_code::invalid_channel,
            "a channel in the query has a length or a character that is not allowed"
        ));
    }
    delivery::event_stream_writer writer(std::move(channels));
    if (writer.channels().size() > event_stream::channels_max)
        return c.answer(bad_request(error_code::too_many_channels, "an event stream has at most 32 channels")
        );

    writer.mark_cursors();
    // Drawn, because a crash gives no other chance to spread those that come back.
    writer.set_retry(
        event_stream::retry_min_ms +
        static_cast<std::uint32_t>(
            random_bits() % (event_stream::retry_max_ms - event_stream::retry_min_ms + 1)
        )
    );

    const std::string cursor_text = position_in(c.asked());
    std::optional<position> resume;
    if (!cursor_text.empty()) {
        auto parsed = position::parse(cursor_text, writer.channels());
        if (!parsed)
            return c.answer(bad_request(error_code::invalid_frame, event_stream::describe(parsed.error())));
        resume = std::move(*parsed);
    }
    const auto latest = parse_number(c.asked().parameter("latest", "0"));
    if (!latest) return c.answer(bad_request(error_code::invalid_frame, "latest must be a whole number"));
    if (auto answer = refused(c, writer.channels(), *latest)) return c.answer(std::move(*answer));
    c.upgrade(
        event_response(),
        std::make_unique<events>(
            c.owner(), c.own_shard(), c.client(), std::move(writer), std::move(resume), *latest, c.who()
        )
    );
}

}  // namespace pulsewire::shell
