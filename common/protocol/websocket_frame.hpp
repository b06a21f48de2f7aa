#pragma once

// The definitions that the reader and the writer of WebSocket frames share (RFC 6455 sections 5 and 7.4).

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace pulsewire::websocket {

// The end of the connection that we are: a client masks its frames, a server does not (RFC 6455 5.1).
enum class role : std::uint8_t { server, client };

// RFC 6455 5.2; all other values are reserved.
enum class opcode : std::uint8_t {
    continuation = 0x0,
    text = 0x1,
    binary = 0x2,
    close = 0x8,
    ping = 0x9,
    pong = 0xa
};

// RFC 6455 5.5: the payload of a control frame; the reason of a close frame has two bytes less.
inline constexpr std::size_t control_bytes_max = 125;
inline constexpr std::size_t close_reason_bytes_max = control_bytes_max - 2;
// RFC 6455 5.2: two bytes, a length of up to eight, a masking key of four.
inline constexpr std::size_t frame_header_bytes_max = 14;

// Denotes a close frame without a code; never on the wire (RFC 6455 7.4.1).
inline constexpr std::uint16_t no_status = 1005;

// Whether a close frame may carry the code: those of RFC 6455 7.4.1 and the IANA registry that are meant for
// the wire (1000-1003, 1007-1014), and 3000-4999.
constexpr bool is_close_code(std::uint16_t code) {
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}

// Four bytes in the order of the wire.
using masking_key = std::array<unsigned char, 4>;

// Masks or unmasks in place (RFC 6455 5.3); `bytes` starts `at` bytes into the frame's payload. It also finds
// out, at no cost, whether all resulting bytes are ASCII, which saves a second pass over the text.
enum class content : bool { other, ascii };
content apply_mask(std::span<char> bytes, masking_key key, std::size_t at = 0);

}  // namespace pulsewire::websocket
