#include "bench/load/stamp.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <string>
#include <vector>

namespace pulsewire::bench {
namespace {

constexpr stamp first{0, 7, 0x0123456789abcdef};
constexpr stamp second{0xfedcba98, 0xffffffff, 1};

std::string payload(const stamp& s, std::size_t bytes = 128) {
    std::string text;
    append_payload(text, s, bytes);
    return text;
}

// Everything that is found when the text comes in pieces of this size.
std::vector<stamp> found_in(std::string_view text, std::size_t piece) {
    stamp_finder finder;
    std::vector<stamp> all;
    for (; !text.empty(); text.remove_prefix(std::min(piece, text.size())))
        finder.feed(text.substr(0, piece), [&](const stamp& s) { all.push_back(s); });
    return all;
}

TEST(stamp, is_read_as_it_was_written) {
    for (const stamp& written : {first, second}) {
        stamp read;
        ASSERT_TRUE(read_stamp(std::string_view(payload(written)).substr(1), read));
        EXPECT_EQ(read, written);
    }
}

TEST(stamp, a_payload_is_a_json_string_of_the_size_asked_for) {
    for (const std::size_t bytes : {payload_bytes_min, std::size_t{128}, std::size_t{1024}}) {
        const std::string text = payload(first, bytes);
        EXPECT_EQ(text.size(), bytes);
        EXPECT_EQ(text.front(), '"');
        EXPECT_EQ(text.find('"', 1), text.size() - 1);
    }
}

TEST(stamp, a_payload_like_an_application_s_is_json_of_that_size_with_the_stamp_in_its_place) {
    for (std::size_t bytes = json_payload_bytes_min; bytes < 1'200; ++bytes) {
        std::string text = "before";
        append_payload(text, second, bytes, filling::json);
        text.erase(0, 6);
        ASSERT_EQ(text.size(), bytes);
        EXPECT_TRUE(nlohmann::json::accept(text)) << text;
        stamp read;
        ASSERT_TRUE(read_stamp(std::string_view(text).substr(stamp_place(filling::json)), read));
        EXPECT_EQ(read, second);
    }
}

TEST(stamp, a_payload_of_bytes_has_that_size_the_stamp_in_front_and_no_other_mark) {
    for (const std::size_t bytes : {payload_bytes_min, std::size_t{1'024}, std::size_t{65'536}}) {
        std::string payload;
        append_payload(payload, second, bytes, filling::bytes);
        ASSERT_EQ(payload.size(), bytes);
        stamp read;
        ASSERT_TRUE(read_stamp(std::string_view(payload).substr(stamp_place(filling::bytes)), read));
        EXPECT_EQ(read, second);
        EXPECT_EQ(payload.find(stamp_mark, stamp_bytes), payload.npos);
        EXPECT_EQ(payload.find('\n') != payload.npos, bytes > payload_bytes_min);
    }
}

TEST(stamp, other_text_between_two_marks_is_none) {
    std::string text = payload(first).substr(1, stamp_bytes);
    stamp s;
    for (std::size_t i = 0; i < text.size(); ++i)
        for (const char wrong : {'q', '`', ' ', '\xff', '\0'}) {
            std::string other = text;
            other[i] = wrong;
            EXPECT_FALSE(read_stamp(other, s)) << i;
        }
    EXPECT_FALSE(read_stamp(text.substr(0, stamp_bytes - 1), s));
}

TEST(stamp_finder, finds_all_stamps_however_the_stream_is_cut) {
    // Marks that belong to nobody stand before, between and right in front of the stamps.
    const std::string text = "^^{\"a\":" + payload(first) + "}\n^abcdefgh^" + payload(second) + "^" +
                             payload(first).substr(1) + "^abc";
    const std::vector<stamp> expected{first, second, first};
    for (std::size_t piece = 1; piece <= text.size(); ++piece)
        EXPECT_EQ(found_in(text, piece), expected) << piece;
}

TEST(stamp_finder, a_stamp_that_is_broken_off_hides_not_the_next) {
    for (std::size_t cut = 1; cut < stamp_bytes - 1; ++cut) {
        const std::string text = payload(first).substr(1, cut) + payload(second).substr(1);
        for (std::size_t piece = 1; piece <= text.size(); ++piece)
            EXPECT_EQ(found_in(text, piece), std::vector<stamp>{second}) << cut << " " << piece;
    }
}

}  // namespace
}  // namespace pulsewire::bench
