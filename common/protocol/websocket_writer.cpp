#include "common/protocol/websocket_writer.hpp"

#include "common/base/utf8_validator.hpp"

#include <span>

namespace pulsewire::websocket {
namespace {

constexpr unsigned char final_bit = 0x80;
constexpr unsigned char mask_bit = 0x80;

template <std::size_t Capacity>
void append_big_endian(small_bytes<Capacity>& out, std::uint64_t value, int bytes) {
    for (int i = bytes - 1; i >= 0; --i) out.append(static_cast<char>(value >> (8 * i) & 0xff));
}

// RFC 6455 5.2: the length in its shortest form.
template <std::size_t Capacity>
void append_header(
    small_bytes<Capacity>& out, opcode op, std::uint64_t payload_bytes, const masking_key* key
) {
    const unsigned char masked = key != nullptr ? mask_bit : 0;
    const auto second_byte = [&](unsigned char length) { out.append(static_cast<char>(masked | length)); };
    out.append(static_cast<char>(final_bit | static_cast<unsigned char>(op)));
    if (payload_bytes < 126) {
        second_byte(static_cast<unsigned char>(payload_bytes));
    } else if (payload_bytes <= 0xffff) {
        second_byte(126);
        append_big_endian(out, payload_bytes, 2);
    } else {
        second_byte(127);
        append_big_endian(out, payload_bytes, 8);
    }
    if (key != nullptr)
        for (const unsigned char byte : *key) out.append(static_cast<char>(byte));
}

control_frame_bytes control_frame(opcode op, std::string_view payload, const masking_key* key) {
    payload = payload.substr(0, control_bytes_max);
    control_frame_bytes out;
    append_header(out, op, payload.size(), key);
    const std::size_t header_bytes = out.size();
    out.append(payload);
    if (key != nullptr) apply_mask(out.bytes().subspan(header_bytes), *key);
    return out;
}

control_frame_bytes close_frame_masked_by(
    const masking_key* key, std::uint16_t code, std::string_view reason
) {
    if (!is_close_code(code)) return control_frame(opcode::close, {}, key);
    small_bytes<control_bytes_max> payload;
    append_big_endian(payload, code, 2);
    payload.append(utf8_prefix(reason, close_reason_bytes_max));
    return control_frame(opcode::close, payload, key);
}

}  // namespace

frame_header_bytes frame_header(opcode op, std::uint64_t payload_bytes) {
    frame_header_bytes out;
    append_header(out, op, payload_bytes, nullptr);
    return out;
}

frame_header_bytes frame_header(opcode op, std::uint64_t payload_bytes, masking_key key) {
    frame_header_bytes out;
    append_header(out, op, payload_bytes, &key);
    return out;
}

control_frame_bytes ping_frame(std::string_view payload) {
    return control_frame(opcode::ping, payload, nullptr);
}
control_frame_bytes ping_frame(std::string_view payload, masking_key key) {
    return control_frame(opcode::ping, payload, &key);
}

control_frame_bytes pong_frame(std::string_view payload) {
    return control_frame(opcode::pong, payload, nullptr);
}
control_frame_bytes pong_frame(std::string_view payload, masking_key key) {
    return control_frame(opcode::pong, payload, &key);
}

control_frame_bytes close_frame(std::uint16_t code, std::string_view reason) {
    return close_frame_masked_by(nullptr, code, reason);
}
control_frame_bytes close_frame(std::uint16_t code, std::string_view reason, masking_key key) {
    return close_frame_masked_by(&key, code, reason);
}

}  // namespace pulsewire::websocket
