#pragma once

// Reads one direction of a WebSocket connection after its handshake: bytes in, events out, as strictly
// as RFC 6455 sections 5 to 7 demand. Every reserved bit is an error, except the first one if
// compression was agreed on. No I/O, no clock.
//
//     std::span<char> bytes = what_arrived_in_the_shared_scratch_buffer;
//     for (;;) {
//         const websocket::event e = reader.next(bytes);
//         if (e.kind == websocket::event_kind::more) break;  // wait for more bytes; the buffer is free again
//         ...
//     }
//
// An idle connection costs only this object. More memory is held only while a message or a control
// frame is incomplete; it grows with the bytes that arrived (not with the length that a frame declares)
// and is freed when the message is done.
//
// The class has many members because the states of a frame, of a message and of a close belong to one stream
// of bytes, and each byte may change any of them.

#include "common/base/utf8_validator.hpp"
#include "common/protocol/codes.hpp"
#include "common/protocol/websocket_frame.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

namespace pulsewire::websocket {

// Frames of one message, empty ones included; beyond: failure 1008.
inline constexpr std::uint16_t fragments_max = 1'024;
// A message larger than message_bytes_max is skipped up to this size in bytes;
// beyond: failure 1009 (protocol 3.6).
inline constexpr std::uint32_t skip_bytes_max = 16 * 1024 * 1024;
// The bytes at the beginning of a skipped message that are kept to find its id (protocol 3.6).
inline constexpr std::uint32_t oversized_head_bytes = 512;

enum class event_kind : std::uint8_t {
    more,       // all bytes are used up; nothing to do
    text,       // data: a whole text message, valid UTF-8
    binary,     // data: a whole binary message
    ping,       // data: its payload, to be sent back in a pong (RFC 6455 5.5.3)
    pong,       // data: its payload
    close,      // code: the peer's, no_status without one; data: its reason, valid UTF-8. The last event.
    oversized,  // data: the first bytes (512, or all where there are fewer) of a message larger than
                // message_bytes_max; the rest of it passes without events
    failure,    // code: the one to close the connection with; data: the reason, a literal. The last event.
};

struct event {
    event_kind kind = event_kind::more;
    std::uint16_t code = 0;
    // text, binary, oversized: `data` is compressed (RFC 7692 7.2.2), so a text is not known to be UTF-8 yet.
    bool compressed = false;
    // Valid until the next call of next() and while the bytes given to it stay unchanged.
    std::string_view data{};
};

class reader {
public:
    // A server requires masked frames, a client unmasked ones (RFC 6455 5.1). `message_bytes_max` bounds the
    // payload of a message with all its fragments.
    reader(role r, std::uint32_t message_bytes_max);
    reader(reader&&) noexcept;
    reader& operator=(reader&&) noexcept;
    ~reader();

    // Allows compressed messages from now on (RFC 7692 section 7); without it they are a failure.
    void allow_compression() { compression_allowed_ = true; }

    // Returns the next event in `bytes` and removes the bytes that it has read from the front. It unmasks in
    // place, so the buffer may not be used otherwise. A message that is complete in `bytes` and in one frame
    // is returned as a view of it; other messages are assembled inside. Call it until `more`, which also
    // frees the memory of the event before. After close or failure it takes all bytes and returns `more` (RFC
    // 6455 5.5.1: nothing follows a close frame).
    event next(std::span<char>& bytes);

    // Whether bytes were taken that belong to no event yet: a header, a frame or a message (also a skipped
    // one) is incomplete. A message needs a deadline, otherwise a peer may send it byte by byte for ever.
    bool mid_message() const;
    // Grows by one when a message begins, or a control frame outside of a message. While
    // mid_message() is true and this number stays the same, it is the same message, so the deadline
    // counts from the last change of this number.
    std::uint32_t begun() const { return begun_; }

    // Pings and pongs since the last whole message. Each is an event, answered by one pong at most; the shell
    // bounds their number within a call or a second (beyond: close 1008).
    std::uint32_t control_frames_in_a_row() const { return control_frames_; }

    // Whether it holds memory beside itself; never after `more` outside of a message and a control frame.
    bool holds_memory() const { return unfinished_ != nullptr; }

    // Whether close or failure was returned.
    bool ended() const { return phase_ == phase::ended; }

private:
    enum class phase : std::uint8_t { header, payload, ended };
    enum class message_state : std::uint8_t { none, assembling, filling_head, skipping };
    struct unfinished;

    struct piece {
        std::span<char> bytes;
        content what;
        std::string_view view() const { return {bytes.data(), bytes.size()}; }
    };

    bool take_header(std::span<char>& bytes);
    event begin_frame();
    event begin_data_frame(opcode op, std::uint64_t length);
    piece take(std::span<char>& bytes, std::size_t bytes_max);
    event take_payload(std::span<char>& bytes);
    event take_control(std::span<char>& bytes);
    event read_close(std::string_view payload);
    event take_message(std::span<char>& bytes);
    event take_oversized_head(std::span<char>& bytes);
    void skip(std::span<char>& bytes);
    void end_frame();
    bool holds_message() const;
    unfinished& memory();
    void release();
    event fail(close_code code, std::string_view reason);

    // The incomplete message and control frame, and the text of the last event's
    // view; null for an idle connection.
    std::unique_ptr<unfinished> unfinished_;
    std::uint32_t message_bytes_max_;
    std::uint32_t frame_left_ = 0;     // payload bytes of this frame still to come
    std::uint32_t message_bytes_ = 0;  // declared by the frames of this message so far
    std::uint32_t begun_ = 0;
    std::uint32_t control_frames_ = 0;
    std::uint16_t fragments_ = 0;
    std::array<unsigned char, frame_header_bytes_max> header_{};
    std::uint8_t header_bytes_ = 0;
    masking_key key_{};  // turned so that its first byte is the next payload byte's
    role role_;
    phase phase_ = phase::header;
    message_state message_ = message_state::none;
    bool text_ = false;  // the kind of this message
    bool compressed_ = false;
    bool compression_allowed_ = false;
    utf8_validator utf8_;
};

}  // namespace pulsewire::websocket
