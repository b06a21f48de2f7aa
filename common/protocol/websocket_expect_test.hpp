#pragma once

// Short names for the expectations of the WebSocket reader's tests.

#include "common/protocol/websocket_reference_test.hpp"

#include <gtest/gtest.h>

namespace pulsewire::websocket::testing {

inline constexpr std::uint32_t limit = 64 * 1024;

inline std::vector<seen> read(
    std::string_view bytes, role r = role::server, std::uint32_t message_bytes_max = limit
) {
    return without_reasons(read_whole(bytes, r, message_bytes_max));
}

inline seen text(std::string data) {
    return {event_kind::text, 0, std::move(data)};
}
inline seen binary(std::string data) {
    return {event_kind::binary, 0, std::move(data)};
}
inline seen ping(std::string data) {
    return {event_kind::ping, 0, std::move(data)};
}
inline seen pong(std::string data) {
    return {event_kind::pong, 0, std::move(data)};
}
inline seen closed(std::uint16_t code, std::string reason = "") {
    return {event_kind::close, code, std::move(reason)};
}
inline seen oversized(std::string head) {
    return {event_kind::oversized, 0, std::move(head)};
}
inline seen failed(std::uint16_t code) {
    return {event_kind::failure, code, ""};
}

using events = std::vector<seen>;

// The same events however the network cuts the bytes: whole, byte by byte, and in two pieces at every place.
inline void expect_at_every_cut(
    std::string_view bytes, const events& expected, role r = role::server,
    std::uint32_t message_bytes_max = limit
) {
    EXPECT_EQ(read(bytes, r, message_bytes_max), expected) << "whole";
    feeder by_byte(r, message_bytes_max);
    for (std::size_t i = 0; i < bytes.size(); ++i) by_byte.feed(bytes.substr(i, 1));
    EXPECT_EQ(without_reasons(by_byte.events), expected) << "byte by byte";
    EXPECT_TRUE(by_byte.all_taken);
    for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
        feeder in_two(r, message_bytes_max);
        in_two.feed(bytes.substr(0, cut));
        in_two.feed(bytes.substr(cut));
        ASSERT_EQ(without_reasons(in_two.events), expected) << "cut at " << cut;
    }
}

inline std::string bytes_of(std::initializer_list<int> values) {
    std::string out;
    for (const int v : values) out += static_cast<char>(v);
    return out;
}

inline std::string close_payload(int code, std::string_view reason = "") {
    return bytes_of({code >> 8, code & 0xff}) + std::string(reason);
}

}  // namespace pulsewire::websocket::testing
