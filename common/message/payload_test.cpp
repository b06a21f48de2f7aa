#include "common/message/payload.hpp"

#include "common/message/message.hpp"

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace {

using namespace pulsewire;
using namespace std::string_literals;

struct chat_message {
    std::string user;
    std::string text;
    std::optional<std::string> reply_to;
};
PULSEWIRE_MESSAGE(chat_message, "chat.message", user, text, reply_to)

struct transcript {
    std::vector<chat_message> lines;
};
PULSEWIRE_FIELDS(transcript, lines)

TEST(payload, a_message_goes_and_comes_back) {
    std::string json = encode_payload(chat_message{"ada", "h\xC3\xA9 <img> \"x\"", "m1"});
    EXPECT_EQ(json, "{\"user\":\"ada\",\"text\":\"h\xC3\xA9 <img> \\\"x\\\"\",\"reply_to\":\"m1\"}");
    auto back = decode_payload<chat_message>(json);
    ASSERT_TRUE(back);
    EXPECT_EQ(back->user, "ada");
    EXPECT_EQ(back->text, "h\xC3\xA9 <img> \"x\"");
    EXPECT_EQ(back->reply_to, "m1");
}

TEST(payload, an_error_carries_its_four_parts) {
    auto decoded = decode_payload<chat_message>(R"({"user":"ada","text":7})");
    ASSERT_FALSE(decoded);
    EXPECT_EQ(decoded.error(), (payload_error{"chat.message", "/text", "string", "number"}));
    EXPECT_EQ(decoded.error().message(), "chat.message: /text: expected string, found number");
}

TEST(payload, a_struct_without_a_message_name_is_called_as_in_cpp) {
    auto decoded = decode_payload<transcript>(
        R"({"lines":[{"user":"","text":""},{"user":"","text":""},{"user":"","text":""},{"user":"","text":1}]})"
    );
    ASSERT_FALSE(decoded);
    EXPECT_EQ(decoded.error().message(), "transcript: /lines/3/text: expected string, found number");
}

TEST(payload, malformed_json_is_reported_for_the_payload_as_a_whole) {
    auto decoded = decode_payload<chat_message>(R"({"user":"ada",}})");
    ASSERT_FALSE(decoded);
    EXPECT_EQ(decoded.error(), (payload_error{"chat.message", "", "JSON", "malformed JSON at byte 15"}));
    EXPECT_EQ(decoded.error().message(), "chat.message: expected JSON, found malformed JSON at byte 15");
}

TEST(payload, malformed_json_behind_the_fields_is_an_error_too) {
    EXPECT_FALSE(decode_payload<chat_message>(R"({"user":"ada","text":""} x)"));
    EXPECT_FALSE(decode_payload<chat_message>("{\"user\":\"ada\",\"text\":\"\"}\0"s));
    EXPECT_FALSE(decode_payload<chat_message>(""));
}

TEST(payload, a_hundred_thousand_brackets_are_one_error) {
    auto decoded = decode_payload<chat_message>(std::string(100'000, '['));
    ASSERT_FALSE(decoded);
    EXPECT_EQ(
        decoded.error().message(), "chat.message: expected JSON at most 32 levels deep, found a deeper level"
    );
}

TEST(payload, appending_keeps_what_is_there) {
    std::string frame = R"({"type":"chat.message","payload":)";
    append_payload(frame, chat_message{"ada", "hello", {}});
    frame += '}';
    EXPECT_EQ(frame, R"({"type":"chat.message","payload":{"user":"ada","text":"hello"}})");
}

TEST(payload, an_answer_may_be_any_wire_type) {
    EXPECT_EQ(encode_payload(std::vector<int>{1, 2}), "[1,2]");
    EXPECT_EQ(
        decode_payload<std::vector<int>>("[1,null]").error().message(), "/1: expected integer, found null"
    );
}

TEST(payload, a_parsed_value_is_read_like_a_text) {
    auto decoded = decode_value<chat_message>(json_value{{"user", "ada"}, {"text", "hello"}});
    ASSERT_TRUE(decoded);
    EXPECT_EQ(decoded->text, "hello");
    EXPECT_EQ(
        decode_value<chat_message>(json_value{{"user", "ada"}}).error().message(),
        "chat.message: /text: expected string, found nothing"
    );
}

TEST(payload, the_message_about_a_huge_key_stays_short) {
    using lines = std::map<std::string, int>;
    std::string key(10'000, 'k');
    auto decoded = decode_payload<lines>("{\"" + key + "\":\"x\"}");
    ASSERT_FALSE(decoded);
    EXPECT_EQ(decoded.error().pointer, "/" + key);
    EXPECT_LT(decoded.error().message().size(), 300u);
}

}  // namespace
