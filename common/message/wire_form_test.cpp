#include "common/message/wire_form.hpp"

#include "common/message/payload.hpp"
#include "common/message/typescript.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>

namespace {

// A type of the program's own, with a wire form of its own: "#1f" for 31.
struct colour_index {
    unsigned value = 0;
};

}  // namespace

template <>
struct pulsewire::wire_form<colour_index> {
    static constexpr std::string_view typescript = "string";
    static std::string expected() { return "colour index"; }
    static void write(std::string& out, colour_index index) {
        append_json_string(out, "#" + std::to_string(index.value));
    }
    static bool read(json_value& json, colour_index& out, payload_error& error) {
        std::string text;
        if (!wire_form<std::string>::read(json, text, error)) return false;
        if (text.size() != 2 || text[0] != '#') return refuse(error, expected(), "another string");
        out.value = static_cast<unsigned>(text[1] - '0');
        return true;
    }
};

namespace {

using namespace pulsewire;

// The message of the error, "" if the text is a T.
template <class T>
std::string refusal(std::string_view json) {
    auto decoded = decode_payload<T>(json);
    return decoded ? "" : decoded.error().message();
}

template <class T>
void expect_round_trip(const T& value, std::string_view json) {
    EXPECT_EQ(encode_payload(value), json);
    auto decoded = decode_payload<T>(json);
    ASSERT_TRUE(decoded) << decoded.error().message();
    EXPECT_EQ(*decoded, value);
}

TEST(wire_form, booleans) {
    expect_round_trip(true, "true");
    expect_round_trip(false, "false");
    EXPECT_EQ(refusal<bool>("1"), "expected boolean, found number");
    EXPECT_EQ(refusal<bool>("null"), "expected boolean, found null");
}

TEST(wire_form, strings) {
    expect_round_trip(std::string("h\xC3\xA9 \"x\"\n"), "\"h\xC3\xA9 \\\"x\\\"\\n\"");
    EXPECT_EQ(refusal<std::string>("{}"), "expected string, found object");
    EXPECT_EQ(refusal<std::string>("[]"), "expected string, found array");
}

TEST(wire_form, a_string_that_is_not_utf8_arrives_with_replacement_characters) {
    EXPECT_EQ(*decode_payload<std::string>(encode_payload(std::string("a\xFFz"))), "a\xEF\xBF\xBDz");
}

template <class Integer>
void expect_limits() {
    constexpr auto min = std::numeric_limits<Integer>::min();
    constexpr auto max = std::numeric_limits<Integer>::max();
    expect_round_trip(min, std::to_string(min));
    expect_round_trip(max, std::to_string(max));
}

TEST(wire_form, integers_of_every_size_reach_their_limits) {
    expect_limits<signed char>();
    expect_limits<unsigned char>();
    expect_limits<short>();
    expect_limits<unsigned short>();
    expect_limits<int>();
    expect_limits<unsigned>();
    expect_limits<long>();
    expect_limits<unsigned long>();
    expect_limits<long long>();
    expect_limits<unsigned long long>();
}

TEST(wire_form, integers_out_of_range_are_refused) {
    EXPECT_EQ(refusal<std::uint8_t>("256"), "expected integer from 0 to 255, found 256");
    EXPECT_EQ(refusal<std::uint8_t>("-1"), "expected integer from 0 to 255, found -1");
    EXPECT_EQ(refusal<std::int8_t>("-129"), "expected integer from -128 to 127, found -129");
    EXPECT_EQ(
        refusal<int>("2147483648"), "expected integer from -2147483648 to 2147483647, found 2147483648"
    );
    EXPECT_EQ(
        refusal<std::int64_t>("9223372036854775808"),
        "expected integer from -9223372036854775808 to 9223372036854775807, found 9223372036854775808"
    );
    EXPECT_EQ(
        refusal<std::uint64_t>("18446744073709551616"),
        "expected integer from 0 to 18446744073709551615, found 1.8446744073709552e+19"
    );
    EXPECT_EQ(refusal<std::uint8_t>("-1e300"), "expected integer from 0 to 255, found -1e+300");
}

TEST(wire_form, a_whole_number_is_an_integer_however_it_is_written) {
    EXPECT_EQ(*decode_payload<int>("2.0"), 2);
    EXPECT_EQ(*decode_payload<int>("-2e3"), -2000);
    EXPECT_EQ(*decode_payload<std::int64_t>("1e18"), 1'000'000'000'000'000'000);
    EXPECT_EQ(*decode_payload<std::uint64_t>("1e19"), 10'000'000'000'000'000'000u);
    EXPECT_EQ(
        *decode_payload<std::int64_t>("-9223372036854775808.0"), std::numeric_limits<std::int64_t>::min()
    );
    EXPECT_EQ(*decode_payload<unsigned>("-0"), 0u);
    EXPECT_EQ(*decode_payload<unsigned>("-0.0"), 0u);
}

TEST(wire_form, a_fraction_is_not_an_integer) {
    EXPECT_EQ(refusal<int>("1.5"), "expected integer, found 1.5");
    EXPECT_EQ(refusal<int>("-0.25"), "expected integer, found -0.25");
    EXPECT_EQ(refusal<int>("\"1\""), "expected integer, found string");
    EXPECT_EQ(refusal<int>("true"), "expected integer, found boolean");
}

TEST(wire_form, floating_point_numbers) {
    expect_round_trip(0.1, "0.1");
    expect_round_trip(-1e-300, "-1e-300");
    expect_round_trip(0.5f, "0.5");
    expect_round_trip(std::numeric_limits<float>::max(), encode_payload(std::numeric_limits<float>::max()));
    EXPECT_EQ(*decode_payload<double>("3"), 3.0);
    EXPECT_EQ(*decode_payload<double>("-3"), -3.0);
    EXPECT_EQ(*decode_payload<double>("18446744073709551615"), 18446744073709551615.0);
    EXPECT_EQ(refusal<double>("\"0.5\""), "expected number, found string");
    EXPECT_EQ(refusal<float>("1e39"), "expected number that fits a float, found 1e+39");
    EXPECT_EQ(refusal<float>("-1e39"), "expected number that fits a float, found -1e+39");
}

TEST(wire_form, every_float_survives_its_text) {
    for (float number : {0.1f, 1.0f / 3, std::numeric_limits<float>::denorm_min(), 16777217.0f, 3.4e38f}) {
        EXPECT_EQ(*decode_payload<float>(encode_payload(number)), number);
    }
}

TEST(wire_form, nan_and_infinity_are_written_as_null_and_null_is_not_a_number) {
    EXPECT_EQ(encode_payload(std::nan("")), "null");
    EXPECT_EQ(encode_payload(-std::numeric_limits<float>::infinity()), "null");
    EXPECT_EQ(refusal<double>("null"), "expected number, found null");
}

TEST(wire_form, a_json_value_is_anything) {
    expect_round_trip(json_value{{"a", {1, nullptr, "x"}}}, R"({"a":[1,null,"x"]})");
    expect_round_trip(json_value(nullptr), "null");
}

TEST(wire_form, a_program_can_give_a_type_of_its_own_a_form) {
    static_assert(wire_type<colour_index>);
    EXPECT_EQ(encode_payload(colour_index{7}), R"("#7")");
    EXPECT_EQ(decode_payload<colour_index>(R"("#7")")->value, 7u);
    EXPECT_EQ(refusal<colour_index>(R"("7")"), "expected colour index, found another string");
    EXPECT_EQ(typescript_writer().type<colour_index>().text, "string");
    EXPECT_EQ(refusal<colour_index>("7"), "expected string, found number");
}

TEST(wire_form, characters_pointers_and_views_have_no_form) {
    static_assert(!wire_type<char>);
    static_assert(!wire_type<wchar_t>);
    static_assert(!wire_type<char8_t>);
    static_assert(!wire_type<const char*>);
    static_assert(!wire_type<std::string_view>);
    static_assert(!wire_type<long double>);
    static_assert(!wire_type<void>);
    static_assert(wire_type<signed char> && wire_type<unsigned char>);
}

}  // namespace
