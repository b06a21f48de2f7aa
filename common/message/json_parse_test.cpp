#include "common/message/json.hpp"

#include <gtest/gtest.h>

#include <string>

namespace {

using namespace pulsewire;
using namespace std::string_literals;

// The error's message; "" if the text is accepted.
std::string refusal(std::string_view text) {
    auto parsed = parse_json(text);
    return parsed ? "" : parsed.error().message();
}

std::string nested(std::size_t levels) {
    return std::string(levels, '[') + std::string(levels, ']');
}

TEST(json_parse, every_kind_of_value_comes_through) {
    std::string text = R"({"a":[null,true,false,-1,18446744073709551615,0.5,"x"],"b":{"c":{},"d":[]}})";
    auto parsed = parse_json(text);
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->dump(), text);
    EXPECT_TRUE((*parsed)["a"][3].is_number_integer());
    EXPECT_TRUE((*parsed)["a"][4].is_number_unsigned());
    EXPECT_TRUE((*parsed)["a"][5].is_number_float());
}

TEST(json_parse, a_bare_value_is_a_json_text) {
    EXPECT_EQ(*parse_json(" \"hello\" "), json_value("hello"));
    EXPECT_EQ(*parse_json("null"), json_value(nullptr));
    EXPECT_EQ(*parse_json("-0"), json_value(0));
}

TEST(json_parse, siblings_after_nested_values_go_where_they_belong) {
    std::string text = R"([[1,[2,{"a":[3],"b":4}],5],{"c":{"d":{}},"e":6},7])";
    EXPECT_EQ(parse_json(text)->dump(), text);
}

TEST(json_parse, the_last_of_equal_keys_wins) {
    EXPECT_EQ(parse_json(R"({"a":1,"b":2,"a":{"x":3}})")->dump(), R"({"a":{"x":3},"b":2})");
    EXPECT_EQ(parse_json(R"({"a":{"x":1},"a":{"y":2}})")->dump(), R"({"a":{"y":2}})");
    EXPECT_EQ(parse_json(R"({"a":[1],"a":[2]})")->dump(), R"({"a":[2]})");
}

TEST(json_parse, malformed_text_is_refused_with_the_byte) {
    EXPECT_EQ(refusal(R"({"user":"ada",,})"), "expected JSON, found malformed JSON at byte 15");
    EXPECT_EQ(refusal(""), "expected JSON, found malformed JSON at byte 1");
    EXPECT_EQ(refusal("[1,2"), "expected JSON, found malformed JSON at byte 5");
    EXPECT_EQ(refusal("[1] x"), "expected JSON, found malformed JSON at byte 5");
    EXPECT_EQ(refusal("'x'"), "expected JSON, found malformed JSON at byte 1");
    EXPECT_EQ(refusal("[1,]"), "expected JSON, found malformed JSON at byte 4");
    EXPECT_EQ(refusal("[1]}"), "expected JSON, found malformed JSON at byte 4");
    EXPECT_EQ(refusal("NaN"), "expected JSON, found malformed JSON at byte 1");
    EXPECT_EQ(refusal("// c\n1"), "expected JSON, found malformed JSON at byte 1");
    EXPECT_EQ(refusal("\"a\nb\""), "expected JSON, found malformed JSON at byte 3");
}

TEST(json_parse, strings_that_are_not_unicode_are_refused) {
    EXPECT_EQ(refusal("\"\xFF\""), "expected JSON, found malformed JSON at byte 2");
    EXPECT_EQ(refusal("\"\xC0\xAF\""), "expected JSON, found malformed JSON at byte 2");      // overlong
    EXPECT_EQ(refusal("\"\xED\xA0\x80\""), "expected JSON, found malformed JSON at byte 3");  // surrogate
    EXPECT_EQ(refusal("\"\\uD800\""), "expected JSON, found malformed JSON at byte 8");  // lone surrogate
    EXPECT_EQ(*parse_json(R"("\uD83D\uDE00")"), json_value("\xF0\x9F\x98\x80"));         // a pair
}

TEST(json_parse, a_byte_order_mark_and_a_nul_byte_are_refused_as_in_browsers) {
    EXPECT_EQ(refusal("\xEF\xBB\xBF{}"), "expected JSON, found malformed JSON at byte 1");
    EXPECT_EQ(refusal("{}\0{}"s), "expected JSON, found malformed JSON at byte 3");
    EXPECT_EQ(refusal("[1,\0]"s), "expected JSON, found malformed JSON at byte 4");
    EXPECT_EQ(*parse_json(R"("a\u0000b")"), json_value("a\0b"s));
}

TEST(json_parse, a_number_beyond_double_is_refused) {
    EXPECT_EQ(refusal("[1,1e999]"), "expected numbers that fit a double, found a larger one at byte 8");
    EXPECT_EQ(*parse_json("1e-999"), json_value(0.0));
}

TEST(json_parse, thirty_two_levels_are_accepted_and_the_next_is_refused) {
    EXPECT_EQ(parse_json(nested(payload_depth_max))->dump(), nested(payload_depth_max));
    EXPECT_EQ(
        refusal(nested(payload_depth_max + 1)), "expected JSON at most 32 levels deep, found a deeper level"
    );
    std::string objects;
    for (int level = 0; level < 33; ++level) objects += R"({"a":)";
    EXPECT_EQ(refusal(objects), "expected JSON at most 32 levels deep, found a deeper level");
}

TEST(json_parse, depth_counts_open_levels_and_not_brackets) {
    std::string flat = "[";
    for (int i = 0; i < 1000; ++i) flat += "[[]],";
    flat += "[]]";
    EXPECT_EQ(refusal(flat), "");
}

TEST(json_parse, a_hundred_thousand_brackets_are_refused_at_the_thirty_third) {
    EXPECT_EQ(
        refusal(std::string(100'000, '[')), "expected JSON at most 32 levels deep, found a deeper level"
    );
    EXPECT_EQ(refusal(nested(100'000)), "expected JSON at most 32 levels deep, found a deeper level");
}

TEST(json_parse, every_prefix_of_a_text_is_refused_and_none_crashes) {
    std::string text = R"({"a":[1,-2.5e3,"x\u00e9\n",{"b":null}],"c":true})";
    for (std::size_t length = 0; length < text.size(); ++length) {
        EXPECT_NE(refusal(text.substr(0, length)), "") << length;
    }
    EXPECT_EQ(refusal(text), "");
}

TEST(json_parse, no_single_changed_byte_crashes) {
    const std::string text = R"({"a":[1,-2.5e3,"x\u00e9\n",{"b":null}],"c":true})";
    for (std::size_t at = 0; at < text.size(); ++at) {
        for (int byte = 0; byte < 256; ++byte) {
            std::string changed = text;
            changed[at] = static_cast<char>(byte);
            auto parsed = parse_json(changed);
            // An accepted value is the same after it is written and read again.
            if (parsed) {
                std::string written;
                append_json_value(written, *parsed);
                EXPECT_EQ(*parse_json(written), *parsed) << changed;
            }
        }
    }
}

}  // namespace
