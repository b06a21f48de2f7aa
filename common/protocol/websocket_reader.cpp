#include "common/protocol/websocket_reader.hpp"

#include <algorithm>
#include <cstring>
#include <optional>
#include <string>

namespace pulsewire::websocket {
namespace {

// The first two bytes of a frame (RFC 6455 5.2).
struct first_bytes {
    std::uint8_t flags, length;
    bool final() const { return (flags & 0x80) != 0; }
    bool reserved_bits() const { return (flags & 0x30) != 0; }
    bool compressed() const { return (flags & 0x40) != 0; }
    opcode op() const { return static_cast<opcode>(flags & 0x0f); }
    bool control() const { return (flags & 0x08) != 0; }
    bool masked() const { return (length & 0x80) != 0; }
    std::uint8_t short_length() const { return length & 0x7f; }
    std::uint8_t length_bytes() const { return short_length() == 127 ? 8 : short_length() == 126 ? 2 : 0; }
    std::size_t header_bytes() const { return std::size_t{2} + length_bytes() + (masked() ? 4 : 0); }
};

constexpr bool is_known(opcode op) {
    switch (op) {
        case opcode::continuation:
        case opcode::text:
        case opcode::binary:
        case opcode::close:
        case opcode::ping:
        case opcode::pong:
            return true;
    }
    return false;
}

// The reason why no frame may begin in this way, or null. Rules that depend on earlier
// frames are checked in begin_data_frame.
const char* objection_to(first_bytes first, role reader_role, bool compression_allowed) {
    // RFC 7692 6.1: the first reserved bit is set in the first frame of a message only.
    const bool may_be_compressed =
        compression_allowed && !first.control() && first.op() != opcode::continuation;
    if (first.reserved_bits() || (first.compressed() && !may_be_compressed))
        return "a reserved bit is set, but no extension was agreed on that uses it";
    if (!is_known(first.op())) return "reserved opcode";
    if (first.control() && !first.final()) return "fragmented control frame";
    if (first.control() && first.short_length() > control_bytes_max)
        return "control frame longer than 125 bytes";
    if (reader_role == role::server && !first.masked()) return "a client's frame must be masked";
    if (reader_role == role::client && first.masked()) return "a server's frame must not be masked";
    return nullptr;
}

// The payload length in a complete header; nothing when it is not in the shortest form or has
// its highest bit set (RFC 6455 5.2).
std::optional<std::uint64_t> length_in(const unsigned char* header) {
    const first_bytes first{header[0], header[1]};
    std::uint64_t length = 0;
    for (std::size_t i = 0; i < first.length_bytes(); ++i) length = length << 8 | header[2 + i];
    switch (first.length_bytes()) {
        case 2:
            return length < 126 ? std::nullopt : std::optional(length);
        case 8:
            return length <= 0xffff || length >> 63 != 0 ? std::nullopt : std::optional(length);
        default:
            return first.short_length();
    }
}

}  // namespace

// A control frame may come between the frames of a message, so each has a buffer of its own.
struct reader::unfinished {
    std::string message;  // the part that has arrived
    std::array<char, control_bytes_max> control;
    std::uint8_t control_bytes = 0;
};

reader::reader(role r, std::uint32_t message_bytes_max) : message_bytes_max_(message_bytes_max), role_(r) {}
reader::reader(reader&&) noexcept = default;
reader& reader::operator=(reader&&) noexcept = default;
reader::~reader() = default;

event reader::next(std::span<char>& bytes) {
    release();
    while (phase_ != phase::ended) {
        if (phase_ == phase::header) {
            if (!take_header(bytes)) return {};
            if (const event e = begin_frame(); e.kind != event_kind::more) return e;
        }
        if (const event e = take_payload(bytes); e.kind != event_kind::more) return e;
        if (phase_ == phase::payload) return {};
    }
    bytes = {};
    return {};
}

bool reader::mid_message() const {
    if (phase_ == phase::ended) return false;
    return phase_ == phase::payload || header_bytes_ != 0 || message_ != message_state::none;
}

// Returns whether the header is complete now.
bool reader::take_header(std::span<char>& bytes) {
    if (header_bytes_ == 0 && !bytes.empty() && message_ == message_state::none) ++begun_;
    // Mostly the whole header has arrived, with more bytes after it.
    if (header_bytes_ == 0 && bytes.size() >= header_.size()) {
        std::memcpy(header_.data(), bytes.data(), header_.size());
        header_bytes_ = static_cast<std::uint8_t>(first_bytes{header_[0], header_[1]}.header_bytes());
        bytes = bytes.subspan(header_bytes_);
        return true;
    }
    for (;;) {
        // The first two bytes determine the length of the header.
        const first_bytes first{header_[0], header_[1]};
        const std::size_t wanted = header_bytes_ < 2 ? 2 : first.header_bytes();
        if (header_bytes_ == wanted) return true;
        if (bytes.empty()) return false;
        const std::size_t count = std::min(wanted - header_bytes_, bytes.size());
        std::memcpy(header_.data() + header_bytes_, bytes.data(), count);
        header_bytes_ = static_cast<std::uint8_t>(header_bytes_ + count);
        bytes = bytes.subspan(count);
    }
}

event reader::begin_frame() {
    const first_bytes first{header_[0], header_[1]};
    if (const char* objection = objection_to(first, role_, compression_allowed_))
        return fail(close_code::protocol_error, objection);
    const auto length = length_in(header_.data());
    if (!length)
        return fail(
            close_code::protocol_error, "a frame's length is not in its shortest form, or beyond 2^63"
        );

    if (first.masked()) std::memcpy(key_.data(), header_.data() + header_bytes_ - key_.size(), key_.size());
    phase_ = phase::payload;
    if (!first.control()) return begin_data_frame(first.op(), *length);
    frame_left_ = static_cast<std::uint32_t>(*length);
    return {};
}

// RFC 6455 5.4, and the bounds of a message.
event reader::begin_data_frame(opcode op, std::uint64_t length) {
    const bool continues = op == opcode::continuation;
    if (continues && message_ == message_state::none)
        return fail(close_code::protocol_error, "a continuation frame without a message to continue");
    if (!continues && message_ != message_state::none)
        return fail(close_code::protocol_error, "a new message before the last one was finished");
    if (!continues) {
        message_ = message_state::assembling;
        text_ = op == opcode::text;
        compressed_ = first_bytes{header_[0], header_[1]}.compressed();
        utf8_.reset();
        fragments_ = 0;
        message_bytes_ = 0;
    }
    if (++fragments_ > fragments_max)
        return fail(close_code::policy_violation, "a message in too many fragments");
    // Not a sum, which could overflow: message_bytes_ is already within the limit.
    const std::uint32_t limit = std::max(message_bytes_max_, skip_bytes_max);
    if (length > limit - message_bytes_)
        return fail(close_code::message_too_big, "a message too large even to be skipped");
    frame_left_ = static_cast<std::uint32_t>(length);
    message_bytes_ += frame_left_;
    if (message_ == message_state::assembling && message_bytes_ > message_bytes_max_)
        message_ = message_state::filling_head;
    return {};
}

// The next bytes of this frame's payload, unmasked.
reader::piece reader::take(std::span<char>& bytes, std::size_t bytes_max) {
    const std::size_t count = std::min({bytes.size(), bytes_max, std::size_t{frame_left_}});
    const std::span<char> taken = bytes.first(count);
    bytes = bytes.subspan(count);
    frame_left_ -= static_cast<std::uint32_t>(count);
    const content what = apply_mask(taken, key_);
    if (frame_left_ != 0) std::rotate(key_.begin(), key_.begin() + count % key_.size(), key_.end());
    return {taken, what};
}

event reader::take_payload(std::span<char>& bytes) {
    if (first_bytes{header_[0], header_[1]}.control()) return take_control(bytes);
    switch (message_) {
        case message_state::assembling:
            return take_message(bytes);
        case message_state::filling_head:
            return take_oversized_head(bytes);
        default:
            skip(bytes);
            return {};
    }
}

event reader::take_control(std::span<char>& bytes) {
    const piece arrived = take(bytes, control_bytes_max);
    std::string_view payload = arrived.view();
    const bool whole = frame_left_ == 0;
    if (!whole && payload.empty()) return {};
    if (!whole || (unfinished_ && unfinished_->control_bytes != 0)) {
        unfinished& kept = memory();
        std::copy(payload.begin(), payload.end(), kept.control.begin() + kept.control_bytes);
        kept.control_bytes = static_cast<std::uint8_t>(kept.control_bytes + payload.size());
        if (!whole) return {};
        payload = {kept.control.data(), kept.control_bytes};
        kept.control_bytes = 0;
    }
    const opcode op = first_bytes{header_[0], header_[1]}.op();
    end_frame();
    if (op == opcode::close) return read_close(payload);
    ++control_frames_;
    return {op == opcode::ping ? event_kind::ping : event_kind::pong, 0, false, payload};
}

// RFC 6455 5.5.1 and 7.4.
event reader::read_close(std::string_view payload) {
    std::uint16_t code = no_status;
    if (payload.size() == 1) return fail(close_code::protocol_error, "a close frame with half a code");
    if (payload.size() >= 2) {
        code = static_cast<std::uint16_t>(
            static_cast<unsigned char>(payload[0]) << 8 | static_cast<unsigned char>(payload[1])
        );
        payload.remove_prefix(2);
        if (!is_close_code(code))
            return fail(close_code::protocol_error, "a close code that may not be sent");
        if (!is_utf8(payload))
            return fail(close_code::invalid_utf8, "the reason of a close frame is not UTF-8");
    }
    message_ = message_state::none;
    phase_ = phase::ended;
    return {event_kind::close, code, false, payload};
}

event reader::take_message(std::span<char>& bytes) {
    const piece arrived = take(bytes, frame_left_);
    const bool plain = compressed_ || (arrived.what == content::ascii && utf8_.complete());
    if (text_ && !plain && !utf8_.feed(arrived.view()))
        return fail(close_code::invalid_utf8, "a text message is not UTF-8");

    const bool done = frame_left_ == 0 && first_bytes{header_[0], header_[1]}.final();
    if (done && text_ && !utf8_.complete())
        return fail(close_code::invalid_utf8, "a text message ends within a character");

    std::string_view message = arrived.view();
    const bool begun_before = unfinished_ && !unfinished_->message.empty();
    if (begun_before || (!done && !message.empty())) {
        memory().message.append(message);
        message = unfinished_->message;
    }
    if (frame_left_ == 0) end_frame();
    if (!done) return {};
    return {text_ ? event_kind::text : event_kind::binary, 0, compressed_, message};
}

// The head is complete at the end of this frame at the latest, because its length made the message too large.
event reader::take_oversized_head(std::span<char>& bytes) {
    const std::size_t wanted = std::min(oversized_head_bytes, message_bytes_);
    const std::size_t had = unfinished_ ? unfinished_->message.size() : 0;
    const piece arrived = take(bytes, wanted - std::min(wanted, had));
    std::string_view head = arrived.view();
    if (had != 0 || head.size() < wanted) {
        if (head.empty() && had < wanted) return {};
        memory().message.append(head);
        head = std::string_view(unfinished_->message).substr(0, wanted);
        if (head.size() < wanted) return {};
    }
    message_ = message_state::skipping;
    return {event_kind::oversized, 0, compressed_, head};
}

void reader::skip(std::span<char>& bytes) {
    const std::size_t count = std::min(bytes.size(), std::size_t{frame_left_});
    bytes = bytes.subspan(count);
    frame_left_ -= static_cast<std::uint32_t>(count);
    if (frame_left_ == 0) end_frame();
}

void reader::end_frame() {
    const first_bytes first{header_[0], header_[1]};
    phase_ = phase::header;
    header_bytes_ = 0;
    if (first.control() || !first.final()) return;
    message_ = message_state::none;
    control_frames_ = 0;
}

bool reader::holds_message() const {
    return message_ == message_state::assembling || message_ == message_state::filling_head;
}

reader::unfinished& reader::memory() {
    if (!unfinished_) unfinished_ = std::make_unique<unfinished>();
    return *unfinished_;
}

// Frees the memory that only the view of the last event needed.
void reader::release() {
    if (unfinished_ && !holds_message() && unfinished_->control_bytes == 0) unfinished_.reset();
}

event reader::fail(close_code code, std::string_view reason) {
    message_ = message_state::none;
    phase_ = phase::ended;
    unfinished_.reset();
    return {event_kind::failure, static_cast<std::uint16_t>(code), false, reason};
}

}  // namespace pulsewire::websocket
