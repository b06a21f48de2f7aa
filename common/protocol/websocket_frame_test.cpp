#include "common/protocol/websocket_frame.hpp"

#include <gtest/gtest.h>

#include <string>

namespace pulsewire::websocket {
namespace {

TEST(websocket_frame, rfc6455_5_3_masking_is_xor_with_the_key_over_and_over) {
    const masking_key key{0x12, 0x80, 0xff, 0x01};
    for (std::size_t size = 0; size <= 130; ++size)
        for (std::size_t at = 0; at <= 9; ++at) {
            std::string bytes, expected;
            for (std::size_t i = 0; i < size; ++i) {
                bytes += static_cast<char>(i * 37 + 11);
                expected += static_cast<char>(bytes[i] ^ key[(at + i) % 4]);
            }
            apply_mask(bytes, key, at);
            ASSERT_EQ(bytes, expected) << size << ' ' << at;
        }
}

TEST(websocket_frame, masking_twice_gives_back_the_bytes) {
    std::string bytes = "any bytes \xff\x00 at all, longer than a few words of eight";
    const std::string before = bytes;
    apply_mask(bytes, {1, 2, 3, 4});
    EXPECT_NE(bytes, before);
    apply_mask(bytes, {1, 2, 3, 4});
    EXPECT_EQ(bytes, before);
}

TEST(websocket_frame, masking_tells_whether_the_result_is_ascii_wherever_the_other_byte_stands) {
    const masking_key key{0xde, 0xad, 0xbe, 0x7f};
    for (std::size_t size = 0; size <= 70; ++size) {
        std::string ascii(size, 'a');
        apply_mask(ascii, key);
        EXPECT_EQ(apply_mask(ascii, key), content::ascii) << size;
        for (std::size_t where = 0; where < size; ++where) {
            std::string other(size, 'a');
            other[where] = '\x80';
            apply_mask(other, key);
            ASSERT_EQ(apply_mask(other, key), content::other) << size << ' ' << where;
        }
    }
}

}  // namespace
}  // namespace pulsewire::websocket
