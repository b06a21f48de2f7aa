#include "server/transport/websocket_conversation.hpp"

#include "common/base/utf8_validator.hpp"
#include "common/protocol/websocket_writer.hpp"
#include "server/shard/shard.hpp"

#include <utility>

namespace pulsewire::shell {

websocket_conversation::websocket_conversation(transport kind, connection& owner, shard& own_shard)
    : conversation(kind),
      owner_(owner),
      shard_(own_shard),
      reader_(websocket::role::server, own_shard.settings().bounds.message_bytes_max) {}

void websocket_conversation::allow_compression() {
    reader_.allow_compression();
    owner_.out().set_compression(true);
}

void websocket_conversation::on_bytes(std::span<char> bytes) {
    read(bytes, bytes.size());
}

void websocket_conversation::read(std::span<char> bytes, std::size_t received) {
    while (!owner_.gone() && !owner_.finishing()) {
        // Each event may make answers, pongs included. Nothing is answered any more when it closes.
        if (!closing_ && (unread_ != nullptr || !owner_.has_room())) return keep_unread(bytes);
        const websocket::event e = reader_.next(bytes);
        if (e.kind == websocket::event_kind::more) break;
        handle(e);
    }
    if (!closing_ && !owner_.gone()) watch_assembly(received);
}

void websocket_conversation::keep_unread(std::span<char> bytes) {
    if (!bytes.empty()) {
        if (unread_ == nullptr) unread_ = std::make_unique<unread>();
        unread_->bytes.append(bytes.data(), bytes.size());
    }
    if (unread_ != nullptr) owner_.keeps_unread(unread_->rest.size() + unread_->bytes.size());
    // The rest of a message may be here already; its time begins again with the reading.
    if (std::exchange(watching_, false)) owner_.set_deadline(0);
    owner_.wait_for_room();
}

void websocket_conversation::on_room() {
    const auto was = std::move(unread_);
    owner_.keeps_unread(0);
    if (was != nullptr && !was->rest.empty() && !closing_) take(was->rest, was->form);
    read(was != nullptr ? std::span<char>(was->bytes) : std::span<char>(), 0);
}

void websocket_conversation::take(std::string_view data, message_form form) {
    const std::size_t done = on_data(data, form);
    if (done == data.size() || closing_ || owner_.gone()) return;
    if (unread_ == nullptr) unread_ = std::make_unique<unread>();
    unread_->rest = data.substr(done);
    unread_->form = form;
}

void websocket_conversation::handle(const websocket::event& e) {
    using kind = websocket::event_kind;
    if (e.kind == kind::close && closing_) return owner_.drop();  // both have said it: done (RFC 6455 7.1.1)
    if (closing_) return;
    switch (e.kind) {
        case kind::more:
            return;
        case kind::text:
            return e.compressed ? handle_compressed(e.data, message_form::text)
                                : take(e.data, message_form::text);
        case kind::binary:
            return e.compressed ? handle_compressed(e.data, message_form::binary)
                                : take(e.data, message_form::binary);
        case kind::oversized:
            return on_oversized(e.compressed ? std::string_view() : e.data);
        case kind::ping:
            owner_.out().push_control(websocket::pong_frame(e.data));
            owner_.flush_soon();
            [[fallthrough]];
        case kind::pong:
            shard_.tell_hub([&](hub::hub& h, hub::instant now) { h.heard(owner_.id(), now); });
            if (too_many_control_frames()) fail_with(close_code::policy_violation, "too many control frames");
            return;
        case kind::close:
            owner_.end().note(ended_by::peer, e.code);
            say_close_frame(e.code, {});
            shard_.tell_hub([&](hub::hub& h, hub::instant now) { h.closed(owner_.id(), now); });
            return owner_.finish(connection::farewell::close);
        case kind::failure:
            return fail_with(static_cast<close_code>(e.code), e.data);
    }
}

void websocket_conversation::handle_compressed(std::string_view payload, message_form form) {
    const auto [how, text] = shard_.inflating().inflate(payload, shard_.settings().bounds.message_bytes_max);
    switch (how) {
        case inflater::outcome::whole:
            if (form == message_form::text && !is_utf8(text))
                return fail_with(close_code::invalid_utf8, "a text message is not UTF-8");
            return take(text, form);
        case inflater::outcome::too_large:
            return on_oversized(text.substr(0, websocket::oversized_head_bytes));
        case inflater::outcome::broken:
            return fail_with(close_code::protocol_error, "a compressed message is broken");
    }
}

bool websocket_conversation::too_many_control_frames() {
    const std::int64_t now_ms = shard_.now().monotonic_ms;
    if (now_ms - control_window_ms_ >= 1'000) {
        control_window_ms_ = now_ms;
        control_frames_ = 0;
    }
    return ++control_frames_ > shard_.bounds().control_frames_max;
}

// A message that was begun must go on, and at the floor rate at least, or a peer could drip it for ever.
// While it does, its sender lives: a large one may take longer than a ping and its pong, which come after it.
void websocket_conversation::watch_assembly(std::size_t received) {
    const bool unfinished = reader_.mid_message();
    if (unfinished) {
        const std::int64_t now_ms = shard_.now().monotonic_ms;
        if (!watching_ || assembling_ != reader_.begun()) {
            assembling_ = reader_.begun();
            arrival_.begin(
                now_ms, shard_.bounds().assembly_timeout_ms, shard_.bounds().transfer_bytes_per_second_min
            );
        }
        arrival_.moved(received, now_ms);
        owner_.set_deadline(arrival_.deadline_ms());
        if (received > 0) shard_.tell_hub([&](hub::hub& h, hub::instant now) { h.heard(owner_.id(), now); });
    } else if (watching_) {
        owner_.set_deadline(0);
    }
    watching_ = unfinished;
}

// Behind everything that waits.
void websocket_conversation::say_close_frame(std::uint16_t code, std::string_view reason) {
    closing_ = true;
    // The peer's close frame may be among what was left unread.
    if (owner_.waits_for_room()) owner_.read_on_soon();
    owner_.out().push_raw(std::string(websocket::close_frame(code, reason).view()));
    owner_.out().set_framing(delivery::framing::none);  // no lines come after it
    owner_.set_deadline(shard_.now().monotonic_ms + shard_.bounds().close_timeout_ms);
    owner_.flush_soon();
}

void websocket_conversation::end_with(close_code code, std::string_view reason) {
    if (closing_) return;
    owner_.end().note(ended_by::server, static_cast<std::uint16_t>(code));
    say_close(code, reason);
    say_close_frame(static_cast<std::uint16_t>(code), reason);
    shard_.tell_hub([&](hub::hub& h, hub::instant now) { h.closed(owner_.id(), now); });
}

// Ends TCP behind the close frame and does not wait for the peer's, because nothing that it sends can be
// understood any more (RFC 6455 7.1.7).
void websocket_conversation::fail_with(close_code code, std::string_view reason) {
    if (closing_) return;
    end_with(code, reason);
    owner_.finish(connection::farewell::linger);
}

// The hub said its close frame as a message already.
void websocket_conversation::on_close(close_code code, std::string_view reason) {
    owner_.end().note(ended_by::hub, static_cast<std::uint16_t>(code));
    if (!closing_) say_close_frame(static_cast<std::uint16_t>(code), reason);
}

void websocket_conversation::on_end() {
    owner_.drop();
}

void websocket_conversation::on_deadline() {
    if (!closing_) return fail_with(close_code::policy_violation, "a message was not finished in time");
    if (owner_.out().empty()) return owner_.drop();
    // Still writing; a writer that stands still has a deadline of its own.
    owner_.set_deadline(shard_.now().monotonic_ms + shard_.bounds().close_timeout_ms);
}

void websocket_conversation::on_overflow() {
    shard_.metrics().queue_drops += owner_.out().drop_lines();
    ++shard_.metrics().slow_closes;
    end_with(close_code::slow_consumer, "too much waited for this connection; come back and recover");
}

void websocket_conversation::on_lost() {
    shard_.tell_hub([&](hub::hub& h, hub::instant now) { h.closed(owner_.id(), now); });
}

}  // namespace pulsewire::shell
