#include "common/protocol/line_writer.hpp"

#include "common/base/random.hpp"
#include "common/base/utf8_validator.hpp"
#include "common/protocol/json_scan.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

namespace pulsewire {
namespace {

std::string escaped(std::string_view text) {
    std::string out;
    append_escaped(out, text);
    return out;
}

TEST(line_writer, writes_members_in_order) {  // 3.1
    std::string out;
    line_writer(out, "gap")
        .name("channel", "a/b")
        .number("offset", 40)
        .flag("more", true)
        .flag("less", false)
        .end();
    EXPECT_EQ(out, R"({"op":"gap","channel":"a/b","offset":40,"more":true,"less":false})");
}

TEST(line_writer, appends_one_frame_behind_another) {
    std::string out;
    line_writer(out, "ping").end();
    out += '\n';
    line_writer(out, "pong").number("id", 4).end();
    EXPECT_EQ(out, "{\"op\":\"ping\"}\n{\"op\":\"pong\",\"id\":4}");
}

TEST(line_writer, a_frame_without_op_starts_with_its_first_member) {  // 3.1
    std::string out;
    line_writer(out).text("type", "t").flag("a", true).end();
    EXPECT_EQ(out, R"({"type":"t","a":true})");
}

TEST(line_writer, the_payload_follows_its_key) {  // 3.2
    std::string out;
    line_writer w(out, "publish");
    w.number("id", 6).payload_key();
    EXPECT_EQ(out, R"({"op":"publish","id":6,"payload":)");
    out += "[1]";
    w.end();
    EXPECT_EQ(out, R"({"op":"publish","id":6,"payload":[1]})");
}

TEST(line_writer, writes_every_number) {
    for (const auto& [number, text] : std::vector<std::pair<std::uint64_t, std::string>>{
             {0, "0"},
             {9, "9"},
             {10, "10"},
             {4294967296, "4294967296"},
             {UINT64_MAX, "18446744073709551615"}}) {
        std::string out = "x";
        append_number(out, number);
        EXPECT_EQ(out, "x" + text);
    }
}

TEST(line_writer, escapes_text_to_ascii) {  // 3.2
    EXPECT_EQ(escaped("plain / text ~"), "plain / text ~");
    EXPECT_EQ(escaped("\"a\\b\""), R"(\"a\\b\")");
    EXPECT_EQ(escaped("\n\r\t\x01\x7f"), R"(\u000a\u000d\u0009\u0001\u007f)");
    EXPECT_EQ(escaped(std::string(1, '\0')), R"(\u0000)");
    EXPECT_EQ(
        escaped("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\xf4\x8f\xbf\xbf"),
        R"(\u00e9\u20ac\ud83d\ude00\udbff\udfff)"
    );
}

TEST(line_writer, writes_what_is_not_utf8_as_the_replacement_character) {
    EXPECT_EQ(
        escaped("a\xff"
                "b\xc3"),
        R"(a\ufffdb\ufffd)"
    );
    EXPECT_EQ(escaped("\xed\xa0\x80"), R"(\ufffd\ufffd\ufffd)");
    EXPECT_EQ(escaped("\xf0\x9f\x98"), R"(\ufffd\ufffd\ufffd)");
}

TEST(line_writer, a_payload_key_in_a_text_is_not_taken_for_the_payload) {  // 3.2
    std::string line;
    line_writer(line, "error").text("message", R"(x","payload":1)").end();
    EXPECT_EQ(line.find("\"payload\":"), std::string::npos);
}

TEST(line_writer, writes_json_in_ascii_whatever_the_text_and_loses_nothing_that_is_utf8) {
    std::uint64_t random = 7;
    for (int i = 0; i < 2'000; ++i) {
        std::string text;
        for (std::uint64_t n = next_random(random, 12); n > 0; --n) {
            static constexpr std::string_view parts[] = {
                "a", "\"", "\\", "\n", "\xc3\xa9", "\xf0\x9f\x98\x80", "\xff", "\xe2\x82", "{}"};
            text += parts[next_random(random, std::size(parts))];
        }
        std::string line;
        line_writer(line, "error").text("message", text).end();
        std::size_t stopped_at = 0;
        ASSERT_TRUE(is_json(line, 2, stopped_at)) << line;
        ASSERT_TRUE(std::all_of(line.begin(), line.end(), [](char c) { return c >= 0x20 && c < 0x7f; }))
            << line;
        if (!is_utf8(text)) continue;
        std::string back;
        append_unescaped(back, escaped(text));
        ASSERT_EQ(back, text);
    }
}

}  // namespace
}  // namespace pulsewire
