#include "common/base/random.hpp"
#include "common/message/json.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <iterator>
#include <limits>
#include <string>
#include <string_view>

namespace {

using namespace pulsewire;
using namespace std::string_literals;

std::string string_json(std::string_view text) {
    std::string out;
    append_json_string(out, text);
    return out;
}

template <class Number>
std::string number_json(Number number) {
    std::string out;
    append_json_number(out, number);
    return out;
}

TEST(json_write, strings_are_quoted_and_escaped) {
    EXPECT_EQ(string_json(""), R"("")");
    EXPECT_EQ(string_json("plain ASCII ~"), R"("plain ASCII ~")");
    EXPECT_EQ(string_json("a\"b\\c/d"), R"("a\"b\\c/d")");
    EXPECT_EQ(string_json("\b\f\n\r\t\x01\x1F"), R"("\b\f\n\r\t\u0001\u001f")");
    EXPECT_EQ(string_json("a\0b"s), R"("a\u0000b")");
    EXPECT_EQ(string_json("\x7F"), "\"\x7F\"");
}

TEST(json_write, unicode_stays_as_it_is) {
    EXPECT_EQ(string_json("h\xC3\xA9llo \xF0\x9F\x98\x80"), "\"h\xC3\xA9llo \xF0\x9F\x98\x80\"");
}

TEST(json_write, bytes_that_are_not_utf8_are_replaced) {
    EXPECT_EQ(string_json("a\xFFz"), "\"a\xEF\xBF\xBDz\"");
    EXPECT_EQ(string_json("cut \xE2\x82"), "\"cut \xEF\xBF\xBD\"");
}

TEST(json_write, appends_and_keeps_what_is_there) {
    std::string out = "x=";
    append_json_string(out, "a");
    append_json_number(out, std::int64_t{1});
    append_json_value(out, json_value::array({1, "b"}));
    EXPECT_EQ(out, R"(x="a"1[1,"b"])");
}

TEST(json_write, integers_are_written_whole) {
    EXPECT_EQ(number_json(std::int64_t{0}), "0");
    EXPECT_EQ(number_json(std::numeric_limits<std::int64_t>::min()), "-9223372036854775808");
    EXPECT_EQ(number_json(std::numeric_limits<std::uint64_t>::max()), "18446744073709551615");
}

TEST(json_write, doubles_read_back_as_the_same_number) {
    for (double number :
         {0.1, 1.0 / 3, 1e300, 5e-324, -2.5, 123456789.125, std::numeric_limits<double>::max()}) {
        EXPECT_EQ(parse_json(number_json(number))->get<double>(), number);
    }
    EXPECT_EQ(number_json(0.1), "0.1");
}

TEST(json_write, what_has_no_json_form_is_null) {
    EXPECT_EQ(number_json(std::nan("")), "null");
    EXPECT_EQ(number_json(std::numeric_limits<double>::infinity()), "null");
    EXPECT_EQ(number_json(-std::numeric_limits<double>::infinity()), "null");
    std::string out;
    append_json_value(out, json_value(json_value::value_t::discarded));
    EXPECT_EQ(out, "null");
}

TEST(json_write, values_are_compact_and_on_one_line) {
    std::string out;
    append_json_value(out, *parse_json("{ \"a\" : [ 1 ,\n2 ] , \"b\" : \"x\\ny\" }"));
    EXPECT_EQ(out, R"({"a":[1,2],"b":"x\ny"})");
}

TEST(json_write, kinds_are_named_as_in_json) {
    EXPECT_EQ(kind_of(nullptr), "null");
    EXPECT_EQ(kind_of(true), "boolean");
    EXPECT_EQ(kind_of(1), "number");
    EXPECT_EQ(kind_of(1u), "number");
    EXPECT_EQ(kind_of(1.5), "number");
    EXPECT_EQ(kind_of("x"), "string");
    EXPECT_EQ(kind_of(json_value::array()), "array");
    EXPECT_EQ(kind_of(json_value::object()), "object");
}

// Whatever the text, it is the string that nlohmann_json writes.
TEST(json_write, escapes_as_nlohmann_json_does) {
    std::uint64_t random = 1;
    const std::string_view pieces[] = {"a", "\"", "\\", "\n",   "\x7f", "\x1f",
                                       "é", "€",  "🎉",  "\xff", "\xc3", "\xed\xa0\x80"};
    for (int round = 0; round < 2'000; ++round) {
        std::string text;
        for (std::uint64_t left = next_random(random) % 12; left > 0; --left) {
            const std::uint64_t drawn = next_random(random);
            if (drawn % 3 == 0) {
                text.push_back(static_cast<char>(drawn >> 8 & 0x1f));
            } else {
                text += pieces[(drawn >> 8) % std::size(pieces)];
            }
        }
        const std::string expected =
            nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
        EXPECT_EQ(string_json(text), expected);
    }
}

}  // namespace
