// Payloads of bytes (protocol 2.5): behind a line, and as base64 in it.

#include "common/protocol/command.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>

namespace pulsewire {
namespace {

using namespace std::string_view_literals;

constexpr auto every_kind = "\x00\n\xff\"{}"sv;

TEST(command_bytes, the_bytes_behind_a_line_are_its_payload) {
    std::string scratch;
    for (const std::string_view op : {"publish", "request", "respond"}) {
        const std::string line =
            R"({"op":")" + std::string(op) + R"(","id":1,"request":3,"channel":"c","type":"t","bytes":6})";
        ASSERT_EQ(bytes_behind(line), 6u);
        const auto read = read_command(line, scratch, every_kind);
        ASSERT_TRUE(read) << read.error().message;
        EXPECT_TRUE(read->binary);
        EXPECT_EQ(read->payload, every_kind);
    }
}

TEST(command_bytes, no_bytes_are_a_payload_too) {
    std::string scratch;
    const auto read = read_command(R"({"op":"publish","channel":"c","type":"t","bytes":0})", scratch, ""sv);
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_TRUE(read->has_payload());
    EXPECT_EQ(read->payload, "");
}

TEST(command_bytes, base64_is_decoded) {
    std::string scratch;
    for (const std::string_view text : {R"("AAr/Int9")", R"("AAr\/Int9")", R"("\u0041Ar/Int9")"}) {
        const std::string line =
            R"({"op":"publish","binary":true,"key":"k\u0065y","channel":"c","type":"t","payload":)" +
            std::string(text) + "}";
        const auto read = read_command(line, scratch);
        ASSERT_TRUE(read) << read.error().message;
        EXPECT_TRUE(read->binary);
        EXPECT_EQ(read->payload, every_kind);
        EXPECT_EQ(read->key, "key");
    }
    const auto none = read_publish_body(R"({"payload":"","binary":true})", scratch);
    ASSERT_TRUE(none) << none.error().message;
    EXPECT_EQ(none->payload, "");
    const auto body = read_publish_body(R"({"payload":"AAr/Int9","binary":true})", scratch);
    ASSERT_TRUE(body) << body.error().message;
    EXPECT_EQ(body->payload, every_kind);
}

struct refused {
    std::string_view line;
    std::optional<std::string_view> behind;
    error_code code;
};

class refused_bytes_test : public ::testing::TestWithParam<refused> {};

TEST_P(refused_bytes_test, are_told_with_the_id) {
    std::string scratch;
    const auto read = read_command(GetParam().line, scratch, GetParam().behind);
    ASSERT_FALSE(read) << GetParam().line;
    EXPECT_EQ(name_of(read.error().code), name_of(GetParam().code)) << read.error().message;
    EXPECT_EQ(read.error().id, 7u);
}

constexpr auto no_frame = error_code::invalid_frame;
constexpr auto no_payload = error_code::invalid_payload;
constexpr std::optional<std::string_view> none;
INSTANTIATE_TEST_SUITE_P(
    lines, refused_bytes_test,
    ::testing::Values(
        // In a text message nothing follows.
        refused{R"({"op":"publish","id":7,"channel":"c","type":"t","bytes":6})", none, no_frame},
        // The message ended before.
        refused{R"({"op":"publish","id":7,"channel":"c","type":"t","bytes":6})", "abcde"sv, no_frame},
        refused{R"({"op":"publish","id":7,"channel":"c","type":"t","bytes":-6})", "abcdef"sv, no_frame},
        refused{R"({"op":"publish","id":7,"channel":"c","type":"t","payload":1,"bytes":1})", "a"sv, no_frame},
        refused{R"({"op":"subscribe","id":7,"channel":"c","bytes":1})", "a"sv, no_frame},
        refused{R"({"op":"request","id":7,"bytes":1})", "a"sv, no_frame},
        refused{
            R"({"op":"publish","id":7,"binary":1,"channel":"c","type":"t","payload":"AA=="})", none,
            no_frame},
        refused{R"({"op":"publish","id":7,"binary":true,"channel":"c","type":"t"})", none, no_frame},
        refused{
            R"({"op":"publish","id":7,"binary":true,"channel":"c","type":"t","payload":1})", none,
            no_payload},
        refused{
            R"({"op":"publish","id":7,"binary":true,"channel":"c","type":"t","payload":"A"})", none,
            no_payload},
        refused{
            R"({"op":"publish","id":7,"binary":true,"channel":"c","type":"t","payload":"A_=="})", none,
            no_payload},
        refused{
            R"({"op":"publish","id":7,"binary":true,"channel":"c","type":"t","payload":["AA=="]})", none,
            no_payload}
    )
);

// Where a frame ends must not depend on what a payload says.
TEST(command_bytes, only_a_last_member_says_how_many_follow) {
    for (const std::string_view line :
         {R"({"op":"publish","payload":{"a":1,"bytes":5}})", R"({"op":"publish","payload":",\"bytes\":5}"})",
          R"({"bytes":5,"op":"publish"})", R"({"op":"publish","x\,"bytes":"5"})", R"({"bytes":5})",
          R"({"op":"publish","bytes":5 })", R"({"op":"publish","bytes":})",
          R"({"op":"publish","bytes":1234567890})", R"({"op":"publish","bytes":5)", ""})
        EXPECT_EQ(bytes_behind(line), std::nullopt) << line;
    EXPECT_EQ(bytes_behind(R"({"op":"publish","bytes":123456789})"), 123'456'789u);
}

// Otherwise the lines of somebody's file would be commands.
TEST(command_bytes, bytes_that_nobody_can_count_are_told) {
    std::string scratch;
    for (const std::string_view line :
         {R"({"op":"publish","channel":"c","type":"t","bytes": 5})",
          R"({"bytes":5,"op":"publish","channel":"c"})",
          R"({"op":"publish","channel":"c","type":"t","bytes":12345678901})",
          R"({"op":"publish","bytes":5 })"}) {
        const auto read = read_command(line, scratch);
        ASSERT_FALSE(read) << line;
        EXPECT_TRUE(read.error().has_unknown_bytes) << line;
    }
    const auto other = read_command(R"({"op":"publish","payload":{"bytes":5}})", scratch);
    ASSERT_FALSE(other);
    EXPECT_FALSE(other.error().has_unknown_bytes);
}

TEST(command_bytes, the_word_binary_means_nothing_elsewhere) {
    std::string scratch;
    const auto subscribe =
        read_command(R"({"op":"subscribe","id":1,"binary":true,"channel":"c","payload":"AA=="})", scratch);
    ASSERT_TRUE(subscribe);
    EXPECT_FALSE(subscribe->binary);
    EXPECT_EQ(subscribe->payload, R"("AA==")");
    const auto connect = read_command(R"({"op":"connect","version":1,"binary":true})", scratch);
    ASSERT_TRUE(connect);
    EXPECT_TRUE(connect->binary);
}

}  // namespace
}  // namespace pulsewire
