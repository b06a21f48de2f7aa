#include "common/protocol/websocket_handshake.hpp"

#include <gtest/gtest.h>

#include <string>

namespace pulsewire::websocket {
namespace {

TEST(websocket_handshake, rfc6455_4_2_1_the_key_is_the_base64_of_16_bytes) {
    EXPECT_TRUE(valid_handshake_key("dGhlIHNhbXBsZSBub25jZQ=="));  // RFC 6455 1.3
    EXPECT_TRUE(valid_handshake_key("AQIDBAUGBwgJCgsMDQ4PEC=="));
    EXPECT_TRUE(valid_handshake_key("++//++//++//++//++//+w=="));
    for (std::string_view bad :
         {"", "=", "dGhlIHNhbXBsZSBub25jZQ", "dGhlIHNhbXBsZSBub25jZQ=", "dGhlIHNhbXBsZSBub25jZ===",
          "dGhlIHNhbXBsZSBub25jZQQ=", "dGhlIHNhbXBsZSBub25jZQ== ", " dGhlIHNhbXBsZSBub25jZQ=",
          "dGhlIHNhbXBsZSBub25j-Q==", "dGhlIHNhbXBsZSBub25j_Q==", "dGhlIHNhbXBsZSBub25jZQAA",
          "dGhlIHNhbXBsZSBu\nb25jQ==", "SGVsbG8sIHdvcmxkIQ=="})
        EXPECT_FALSE(valid_handshake_key(bad)) << bad;
    EXPECT_FALSE(valid_handshake_key(std::string(22, '\xff') + "=="));
    EXPECT_FALSE(valid_handshake_key(std::string(22, '\0') + "=="));
    EXPECT_FALSE(valid_handshake_key(std::string(100'000, 'A')));
}

TEST(websocket_handshake, rfc6455_4_2_2_a_protocol_is_found_anywhere_in_the_list) {
    for (std::string_view header :
         {"pulsewire.v1", " pulsewire.v1 ", "a, pulsewire.v1", "a,pulsewire.v1,b", "\tpulsewire.v1\t,b",
          ",,pulsewire.v1", "a b, pulsewire.v1,"})
        EXPECT_TRUE(offers_protocol(header, "pulsewire.v1")) << header;
}

TEST(websocket_handshake, only_the_whole_name_byte_by_byte_is_the_protocol) {
    for (std::string_view header :
         {"", ",", "pulsewire", "pulsewire.v11", "xpulsewire.v1", "pulsewire.v1 x", "Pulsewire.v1",
          "PULSEWIRE.V1", "pulsewire.v1;a=b", "\"pulsewire.v1\"", "pulsewire.v2, v1", "pulse wire.v1",
          "pulsewire.v1\n"})
        EXPECT_FALSE(offers_protocol(header, "pulsewire.v1")) << header;
    EXPECT_FALSE(offers_protocol("", ""));
    EXPECT_FALSE(offers_protocol("a,,b", ""));
}

// CVE-2021-32640 and its like took quadratic time. Each of these would take
// minutes then; here the test just ends.
TEST(websocket_handshake, long_headers_of_spaces_and_commas_take_linear_time) {
    const std::size_t size = 32 * 1024;
    std::string mixed;
    while (mixed.size() < size) mixed += " \t,";
    for (int round = 0; round < 200; ++round) {
        EXPECT_FALSE(offers_protocol(std::string(size, ' '), "pulsewire.v1"));
        EXPECT_FALSE(offers_protocol(std::string(size, ','), "pulsewire.v1"));
        EXPECT_FALSE(offers_protocol("a" + std::string(size, ' ') + "b", "pulsewire.v1"));
        EXPECT_FALSE(offers_protocol(mixed, "pulsewire.v1"));
        EXPECT_TRUE(offers_protocol(
            mixed + std::string(size, ' ') + "pulsewire.v1" + std::string(size, ' '), "pulsewire.v1"
        ));
    }
}

}  // namespace
}  // namespace pulsewire::websocket
