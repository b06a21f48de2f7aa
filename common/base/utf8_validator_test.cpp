#include "common/base/utf8_validator.hpp"

#include "common/base/utf8.hpp"

#include <gtest/gtest.h>

#include <string>

namespace pulsewire {
namespace {

bool valid_by_sequences(std::string_view text) {
    for (std::size_t i = 0; i < text.size();) {
        const std::size_t bytes = utf8_sequence_bytes(text, i);
        if (bytes == 0) return false;
        i += bytes;
    }
    return true;
}

std::string utf8_of(std::uint32_t code_point) {
    const auto byte = [](std::uint32_t value) { return std::string(1, static_cast<char>(value)); };
    const auto next = [&](int shift) { return byte(0x80 | (code_point >> shift & 0x3f)); };
    if (code_point < 0x80) return byte(code_point);
    if (code_point < 0x800) return byte(0xc0 | code_point >> 6) + next(0);
    if (code_point < 0x10000) return byte(0xe0 | code_point >> 12) + next(6) + next(0);
    return byte(0xf0 | code_point >> 18) + next(12) + next(6) + next(0);
}

TEST(utf8_validator, rfc3629_accepts_every_code_point_but_the_surrogates) {
    for (std::uint32_t c = 0; c < 0x110000; ++c)
        ASSERT_EQ(is_utf8(utf8_of(c)), c < 0xd800 || c > 0xdfff) << std::hex << c;
    for (std::uint32_t c = 0x110000; c < 0x200000; c += 97)
        ASSERT_FALSE(is_utf8(utf8_of(c))) << std::hex << c;
}

TEST(
    utf8_validator, rfc3629_judges_every_pair_and_the_edges_of_longer_sequences_as_the_whole_text_check_does
) {
    std::string text(2, '\0');
    for (int a = 0; a < 256; ++a)
        for (int b = 0; b < 256; ++b) {
            text[0] = static_cast<char>(a), text[1] = static_cast<char>(b);
            ASSERT_EQ(is_utf8(text), valid_by_sequences(text)) << a << ' ' << b;
        }
    const int edges[] = {0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf,
                         0xc0, 0xc2, 0xe0, 0xed, 0xf0, 0xf4, 0xff};
    text.resize(4);
    for (int a = 0x7f; a < 256; ++a)
        for (int b : edges)
            for (int c : edges)
                for (int d : edges) {
                    text[0] = static_cast<char>(a), text[1] = static_cast<char>(b);
                    text[2] = static_cast<char>(c), text[3] = static_cast<char>(d);
                    ASSERT_EQ(is_utf8(text), valid_by_sequences(text))
                        << a << ' ' << b << ' ' << c << ' ' << d;
                }
}

TEST(utf8_validator, a_text_may_be_cut_anywhere) {
    const std::string text = "aé€😀 and some ascii for whole words, then é€😀";
    for (std::size_t first = 0; first <= text.size(); ++first)
        for (std::size_t second = first; second <= text.size(); ++second) {
            utf8_validator v;
            EXPECT_TRUE(v.feed(std::string_view(text).substr(0, first)));
            EXPECT_EQ(v.complete(), valid_by_sequences(text.substr(0, first)));
            EXPECT_TRUE(v.feed(std::string_view(text).substr(first, second - first)));
            EXPECT_TRUE(v.feed(std::string_view(text).substr(second)));
            EXPECT_TRUE(v.complete());
        }
}

TEST(utf8_validator, fails_at_the_first_byte_that_no_valid_text_has_there) {
    for (std::string_view bad :
         {"\x80", "\xc0", "\xc1", "\xf5", "\xff", "\xe0\x9f", "\xed\xa0", "\xf0\x8f", "\xf4\x90",
          "\xe2\x82\x7f", "\xf0\x9f\x98\xc0"}) {
        utf8_validator v;
        EXPECT_TRUE(v.feed(bad.substr(0, bad.size() - 1)));
        EXPECT_FALSE(v.feed(bad.substr(bad.size() - 1)));
    }
}

TEST(utf8_validator, finds_a_bad_byte_at_every_place_of_a_long_ascii_text) {
    for (std::size_t size = 1; size < 40; ++size)
        for (std::size_t where = 0; where < size; ++where) {
            std::string text(size, 'a');
            text[where] = '\xff';
            ASSERT_FALSE(is_utf8(text)) << size << ' ' << where;
        }
}

TEST(utf8_validator, a_prefix_ends_between_characters) {
    EXPECT_EQ(utf8_prefix("abc", 10), "abc");
    EXPECT_EQ(utf8_prefix("abc", 2), "ab");
    EXPECT_EQ(utf8_prefix("a€b", 3), "a");
    EXPECT_EQ(utf8_prefix("a€b", 4), "a€");
    EXPECT_EQ(utf8_prefix("a\xff", 4), "a");
    EXPECT_EQ(utf8_prefix("\xe2\x82", 4), "");
    EXPECT_EQ(utf8_prefix("", 0), "");
}

}  // namespace
}  // namespace pulsewire
