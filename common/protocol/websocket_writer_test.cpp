#include "common/protocol/websocket_writer.hpp"

#include "common/protocol/websocket_reference_test.hpp"

#include <gtest/gtest.h>

namespace pulsewire::websocket {
namespace {

using testing::read_whole;
using testing::reference;
using testing::seen;

constexpr masking_key key{0x37, 0xfa, 0x21, 0x3d};

std::string hex(std::string_view bytes) {
    static constexpr char digits[] = "0123456789abcdef";
    std::string out;
    for (const char c : bytes) {
        out += digits[static_cast<unsigned char>(c) / 16];
        out += digits[static_cast<unsigned char>(c) % 16];
    }
    return out;
}

TEST(websocket_writer, rfc6455_5_7_headers_of_the_examples) {
    EXPECT_EQ(hex(frame_header(opcode::text, 5)), "8105");
    EXPECT_EQ(hex(frame_header(opcode::text, 5, key)), "818537fa213d");
    EXPECT_EQ(hex(frame_header(opcode::binary, 256)), "827e0100");
    EXPECT_EQ(hex(frame_header(opcode::binary, 65536)), "827f0000000000010000");
}

TEST(websocket_writer, rfc6455_5_7_ping_and_pong_of_the_examples) {
    EXPECT_EQ(hex(ping_frame("Hello")), "890548656c6c6f");
    EXPECT_EQ(hex(pong_frame("Hello", key)), "8a8537fa213d7f9f4d5158");
}

TEST(websocket_writer, rfc6455_5_2_the_length_has_its_shortest_form) {
    EXPECT_EQ(hex(frame_header(opcode::text, 0)), "8100");
    EXPECT_EQ(hex(frame_header(opcode::text, 125)), "817d");
    EXPECT_EQ(hex(frame_header(opcode::text, 126)), "817e007e");
    EXPECT_EQ(hex(frame_header(opcode::text, 65535)), "817effff");
    EXPECT_EQ(hex(frame_header(opcode::text, std::uint64_t{0x123456789a})), "817f000000123456789a");
    EXPECT_EQ(frame_header(opcode::text, ~std::uint64_t{0}, key).size(), frame_header_bytes_max);
}

TEST(websocket_writer, a_reader_gets_back_every_payload_in_both_directions) {
    for (std::size_t size : {0u, 1u, 125u, 126u, 1000u, 65535u, 65536u, 70'000u}) {
        const std::string payload(size, 'p');
        const std::vector<seen> expected{{event_kind::text, 0, payload}};
        const std::string from_server = std::string(frame_header(opcode::text, size)) + payload;
        EXPECT_EQ(read_whole(from_server, role::client, 100'000), expected) << size;
        std::string masked = payload;
        apply_mask(masked, key);
        const std::string from_client = std::string(frame_header(opcode::text, size, key)) + masked;
        EXPECT_EQ(read_whole(from_client, role::server, 100'000), expected) << size;
        EXPECT_EQ(reference(from_client, role::server, 100'000).events, expected) << size;
    }
}

TEST(websocket_writer, rfc6455_5_5_3_a_pong_repeats_every_ping) {
    std::string payload;
    for (std::size_t size = 0; size <= control_bytes_max; ++size) {
        EXPECT_EQ(
            read_whole(pong_frame(payload), role::client, 0),
            (std::vector<seen>{{event_kind::pong, 0, payload}})
        );
        EXPECT_EQ(
            read_whole(ping_frame(payload, key), role::server, 0),
            (std::vector<seen>{{event_kind::ping, 0, payload}})
        );
        payload += static_cast<char>(size * 29);
    }
    EXPECT_EQ(ping_frame(std::string(1000, 'x')).size(), 2 + control_bytes_max);
}

TEST(websocket_writer, rfc6455_5_5_1_a_close_frame_carries_code_and_reason) {
    EXPECT_EQ(hex(close_frame(1000, "")), "880203e8");
    EXPECT_EQ(hex(close_frame(1012, "up")), "880403f47570");
    EXPECT_EQ(
        read_whole(close_frame(4501, "grün", key), role::server, 0),
        (std::vector<seen>{{event_kind::close, 4501, "grün"}})
    );
}

TEST(websocket_writer, rfc6455_7_4_a_code_that_may_not_be_sent_gives_an_empty_close_frame) {
    for (std::uint16_t code : {0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535}) {
        EXPECT_EQ(hex(close_frame(code, "why")), "8800") << code;
        EXPECT_EQ(hex(close_frame(code, "why", key)), "888037fa213d") << code;
    }
}

TEST(websocket_writer, a_reason_is_cut_between_characters) {
    const auto reason_sent = [](std::string_view reason) {
        const auto events = read_whole(close_frame(1008, reason), role::client, 0);
        EXPECT_EQ(events.size(), 1u);
        EXPECT_EQ(events[0].kind, event_kind::close) << events[0];
        return events[0].data;
    };
    EXPECT_EQ(reason_sent(std::string(200, 'r')), std::string(123, 'r'));
    for (std::size_t ascii = 117; ascii <= 123; ++ascii)
        for (std::string_view character : {"é", "€", "😀"}) {
            const std::string whole = std::string(ascii, 'r') + std::string(character);
            const std::string expected = whole.size() <= 123 ? whole : std::string(ascii, 'r');
            EXPECT_EQ(reason_sent(whole + (whole.size() < 123 ? "" : "xyz")), expected) << ascii << character;
        }
    EXPECT_EQ(reason_sent("good \xff bad"), "good ") << "what is not UTF-8 would make the peer fail";
    EXPECT_EQ(reason_sent("\xe2\x82"), "");
}

}  // namespace
}  // namespace pulsewire::websocket
