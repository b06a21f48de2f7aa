#include "common/message/wire_described.hpp"

#include "common/message/message.hpp"

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace {

using namespace pulsewire;

enum class colour { red, green, blue };
PULSEWIRE_ENUM(colour, red, green)  // blue has no name

struct point {
    double x = 0, y = 0;
    bool operator==(const point&) const = default;
};
PULSEWIRE_FIELDS(point, x, y)

struct celsius {
    double degrees = 0;
    bool operator==(const celsius&) const = default;
};
PULSEWIRE_VALUE(celsius, degrees)

struct shape {
    std::string name;
    std::vector<point> corners;
    std::optional<colour> fill;
    std::map<std::string, celsius> heat;
    json_value extra;
    bool operator==(const shape&) const = default;
};
PULSEWIRE_MESSAGE(shape, "shape", name, corners, fill, heat, extra)

struct tree {
    int id = 0;
    std::vector<tree> children;
    bool operator==(const tree&) const = default;
};
PULSEWIRE_MESSAGE(tree, "tree", id, children)

struct ping {
    bool operator==(const ping&) const = default;
};
PULSEWIRE_MESSAGE(ping, "ping")

struct text_line {
    std::string text;
    bool operator==(const text_line&) const = default;
};
PULSEWIRE_VALUE_MESSAGE(text_line, "message", text)

struct preset {
    std::optional<int> level = 5;
    bool operator==(const preset&) const = default;
};
PULSEWIRE_MESSAGE(preset, "preset", level)

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

TEST(wire_described, a_struct_is_an_object_with_its_fields_in_order) {
    shape value{"s", {{1, 2}}, colour::green, {{"n", {20.5}}}, {{"k", "v"}}};
    expect_round_trip(
        value,
        R"({"name":"s","corners":[{"x":1.0,"y":2.0}],"fill":"green","heat":{"n":20.5},"extra":{"k":"v"}})"
    );
}

TEST(wire_described, fields_are_read_in_any_order) {
    EXPECT_EQ(*decode_payload<point>(R"({"y":2,"x":1})"), (point{1, 2}));
}

TEST(wire_described, unknown_fields_are_ignored) {
    EXPECT_EQ(*decode_payload<point>(R"({"x":1,"z":[{"deep":null}],"y":2,"":0})"), (point{1, 2}));
    EXPECT_EQ(*decode_payload<ping>(R"({"later":true})"), ping{});
}

TEST(wire_described, the_last_of_equal_fields_wins) {
    EXPECT_EQ(*decode_payload<point>(R"({"x":"no","y":2,"x":1})"), (point{1, 2}));
}

TEST(wire_described, an_empty_optional_field_is_left_out) {
    EXPECT_EQ(encode_payload(preset{std::nullopt}), "{}");
    EXPECT_EQ(encode_payload(shape{}), R"({"name":"","corners":[],"heat":{},"extra":null})");
}

TEST(wire_described, an_absent_or_null_optional_field_is_empty_whatever_its_default) {
    EXPECT_EQ(*decode_payload<preset>("{}"), preset{std::nullopt});
    EXPECT_EQ(*decode_payload<preset>(R"({"level":null})"), preset{std::nullopt});
    EXPECT_EQ(*decode_payload<preset>(R"({"level":1})"), preset{1});
}

TEST(wire_described, a_missing_field_is_named) {
    EXPECT_EQ(refusal<point>(R"({"x":1})"), "point: /y: expected number, found nothing");
    EXPECT_EQ(refusal<tree>("{}"), "tree: /id: expected integer, found nothing");
    EXPECT_EQ(
        refusal<shape>(R"({"name":"","corners":[],"heat":{}})"),
        "shape: /extra: expected any value, found nothing"
    );
}

TEST(wire_described, a_wrong_value_is_named_with_its_place) {
    EXPECT_EQ(
        refusal<shape>(R"({"name":"","corners":[{"x":0,"y":0},{"x":1,"y":"2"}]})"),
        "shape: /corners/1/y: expected number, found string"
    );
    EXPECT_EQ(refusal<shape>(R"({"name":1})"), "shape: /name: expected string, found number");
    EXPECT_EQ(refusal<shape>("[]"), "shape: expected object, found array");
    EXPECT_EQ(
        refusal<shape>(R"({"name":"","corners":[],"heat":{"a/b":"hot"}})"),
        "shape: /heat/a~1b: expected number, found string"
    );
}

TEST(wire_described, the_first_error_in_the_order_of_the_fields_is_reported) {
    EXPECT_EQ(refusal<point>(R"({"y":"b","x":"a"})"), "point: /x: expected number, found string");
}

TEST(wire_described, a_message_without_fields_is_an_empty_object) {
    expect_round_trip(ping{}, "{}");
    EXPECT_EQ(refusal<ping>("null"), "ping: expected object, found null");
}

TEST(wire_described, recursive_structs_go_as_deep_as_a_payload_may) {
    expect_round_trip(
        tree{1, {tree{2, {}}, tree{3, {tree{4, {}}}}}},
        R"({"id":1,"children":[{"id":2,"children":[]},{"id":3,"children":[{"id":4,"children":[]}]}]})"
    );
    tree sixteen_levels;
    for (int level = 1; level < 16; ++level) sixteen_levels = tree{level, {sixteen_levels}};
    EXPECT_EQ(*decode_payload<tree>(encode_payload(sixteen_levels)), sixteen_levels);
    EXPECT_EQ(
        refusal<tree>(encode_payload(tree{16, {sixteen_levels}})),
        "tree: expected JSON at most 32 levels deep, found a deeper level"
    );
}

TEST(wire_described, a_value_message_is_the_bare_value) {
    expect_round_trip(text_line{"hello"}, R"("hello")");
    EXPECT_EQ(refusal<text_line>(R"({"text":"hello"})"), "message: expected string, found object");
}

TEST(wire_described, enums_are_their_names) {
    expect_round_trip(colour::red, R"("red")");
    EXPECT_EQ(refusal<colour>(R"("yellow")"), R"(colour: expected one of "red", "green", found "yellow")");
    EXPECT_EQ(refusal<colour>(R"("blue")"), R"(colour: expected one of "red", "green", found "blue")");
    EXPECT_EQ(refusal<colour>("0"), R"(colour: expected one of "red", "green", found number)");
    EXPECT_EQ(refusal<colour>(R"("a\n\"")"), R"(colour: expected one of "red", "green", found "a\n\"")");
    EXPECT_EQ(
        refusal<colour>('"' + std::string(41, 'x') + '"'),
        R"(colour: expected one of "red", "green", found a string of 41 bytes)"
    );
}

TEST(wire_described, an_enum_value_without_a_name_is_written_as_null) {
    EXPECT_EQ(encode_payload(colour::blue), "null");
    EXPECT_EQ(encode_payload(static_cast<colour>(99)), "null");
}

TEST(wire_described, no_single_changed_byte_crashes_and_what_is_accepted_goes_round) {
    const std::string text =
        R"({"name":"s","corners":[{"x":1.5,"y":-2}],"fill":"green","heat":{"n":20},"extra":[{"k":"v"}]})";
    for (std::size_t at = 0; at < text.size(); ++at) {
        for (int byte = 0; byte < 256; ++byte) {
            std::string changed = text;
            changed[at] = static_cast<char>(byte);
            auto decoded = decode_payload<shape>(changed);
            if (decoded) {
                EXPECT_EQ(*decode_payload<shape>(encode_payload(*decoded)), *decoded) << changed;
            } else {
                EXPECT_EQ(decoded.error().type, "shape");
                EXPECT_NE(decoded.error().expected, "");
                EXPECT_NE(decoded.error().found, "");
            }
        }
    }
}

}  // namespace
