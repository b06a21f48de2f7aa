#pragma once

// Writes WebSocket frames (RFC 6455 5.2) without extensions and without the heap. A data frame is a header
// and the bytes of the payload, which are not copied: the caller gathers both into one write. A server sends
// frames unmasked; the forms that take a masking_key are for clients, which need a fresh unpredictable key
// for each frame (RFC 6455 5.3).

#include "common/protocol/websocket_frame.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace pulsewire::websocket {

// Up to `Capacity` bytes, ready to be sent.
template <std::size_t Capacity>
class small_bytes {
public:
    std::string_view view() const { return {bytes_.data(), size_}; }
    operator std::string_view() const { return view(); }
    const char* data() const { return bytes_.data(); }
    std::size_t size() const { return size_; }

    std::span<char> bytes() { return {bytes_.data(), size_}; }

    // Precondition of both: there is room.
    void append(char byte) { bytes_[size_++] = byte; }
    void append(std::string_view more) {
        for (const char byte : more) append(byte);
    }

private:
    std::array<char, Capacity> bytes_;
    std::uint8_t size_ = 0;
    static_assert(Capacity <= 255);
};

using frame_header_bytes = small_bytes<frame_header_bytes_max>;
using control_frame_bytes = small_bytes<6 + control_bytes_max>;

// The header of an unfragmented frame with `payload_bytes` of payload: 2, 4 or 10 bytes, 4 more with a key.
// With a key the caller masks the payload: apply_mask(payload, key).
frame_header_bytes frame_header(opcode op, std::uint64_t payload_bytes);
frame_header_bytes frame_header(opcode op, std::uint64_t payload_bytes, masking_key key);

// Whole control frames. A payload is cut to 125 bytes (a pong's never needs to be: it repeats a ping's).
control_frame_bytes ping_frame(std::string_view payload);
control_frame_bytes ping_frame(std::string_view payload, masking_key key);
control_frame_bytes pong_frame(std::string_view payload);
control_frame_bytes pong_frame(std::string_view payload, masking_key key);

// The reason is cut to 123 bytes between characters, and before anything that is not UTF-8. A code that may
// not be on the wire (not is_close_code: 0, no_status, 1006...) gives a close frame without code and reason,
// so the peer's code can be sent back unchanged.
control_frame_bytes close_frame(std::uint16_t code, std::string_view reason);
control_frame_bytes close_frame(std::uint16_t code, std::string_view reason, masking_key key);

}  // namespace pulsewire::websocket
