#include "common/message/json_schema.hpp"

#include "common/message/message.hpp"
#include "common/schema/checker.hpp"
#include "common/schema/value.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

// A form of the program's own, without and with a schema.
namespace own {
struct colour_index {
    int value = 0;
};
struct odd {
    int value = 0;
};
}  // namespace own
template <>
struct pulsewire::wire_form<own::colour_index> {
    static std::string expected() { return "colour"; }
    static void write(std::string& out, const own::colour_index&) { out += "\"red\""; }
    static bool read(json_value&, own::colour_index&, payload_error&) { return true; }
};
template <>
struct pulsewire::wire_form<own::odd> {
    static constexpr std::string_view json_schema = R"({"const":1})";
    static std::string expected() { return "1"; }
    static void write(std::string& out, const own::odd&) { out += "1"; }
    static bool read(json_value& json, own::odd&, payload_error& error) {
        return json == 1 || refuse(error, expected(), kind_of(json));
    }
};

namespace {

using namespace pulsewire;

enum class colour { red, green };
PULSEWIRE_ENUM(colour, red, green)

struct user_id {
    std::uint64_t number = 0;
};
PULSEWIRE_VALUE(user_id, number)

struct point {
    double x = 0;
    std::optional<float> y;
};
PULSEWIRE_FIELDS(point, x, y)

struct everything {
    bool flag = false;
    std::int8_t small = 0;
    user_id user;
    std::string text;
    std::optional<point> where;
    point here;
    std::array<int, 2> pair{};
    std::map<std::string, colour> tints;
    std::optional<colour> tint;
    std::vector<everything> inner;
    std::vector<std::optional<std::string>> holes;
    std::optional<json_value> any;
    own::odd odd;
};
PULSEWIRE_MESSAGE(
    everything, "test.everything", flag, small, user, text, where, here, pair, tints, tint, inner, holes, any,
    odd
)

struct ping {};
PULSEWIRE_MESSAGE(ping, "ping")

struct text_line {
    std::string text;
};
PULSEWIRE_VALUE_MESSAGE(text_line, "message", text)

struct places {
    std::vector<point> all;
};
PULSEWIRE_VALUE_MESSAGE(places, "places", all)

template <class T>
void expect_same(const std::vector<std::string>& payloads) {
    const std::string text = schema_of_type::document<T>();
    const auto compiled = schema::checker::compile(text);
    ASSERT_TRUE(compiled) << compiled.error().message() << "\n" << text;
    for (const std::string& payload : payloads) {
        const auto decoded = decode_payload<T>(payload);
        const auto why = compiled->check(payload);
        EXPECT_EQ(decoded.has_value(), !why)
            << payload << "\n"
            << (decoded ? "" : decoded.error().message()) << (why ? why->message() : "");
        if (decoded || !why) continue;
        EXPECT_EQ(why->pointer, decoded.error().pointer) << payload;
    }
}

// The payload, and others in each of which one value is replaced or one member is missing.
std::vector<std::string> variations(const std::string& text) {
    std::vector<std::string> all = {text};
    const json_value original = json_value::parse(text);
    const json_value flat = original.flatten();
    for (const auto& [pointer, unused] : flat.items()) {
        for (const char* other :
             {"null", "true", "1", "-1", "1.5", "300", "1e39", "\"red\"", "\"\"", "[]", "[1,2]", "{}"}) {
            json_value changed = original;
            changed[json_value::json_pointer(pointer)] = json_value::parse(other);
            all.push_back(changed.dump());
        }
        json_value without = original;
        const json_value::json_pointer at(pointer);
        if (at.parent_pointer().empty() ? original.is_object() : original[at.parent_pointer()].is_object()) {
            without[at.parent_pointer()].erase(at.back());
            all.push_back(without.dump());
        }
    }
    return all;
}

TEST(json_schema, takes_and_refuses_the_payloads_that_the_type_does) {
    expect_same<everything>(variations(
        R"({"flag":true,"small":-128,"user":7,"text":"a","where":{"x":1,"y":null},"here":{"x":0.5,"y":2},"pair":[1,2],)"
        R"("tints":{"a":"red"},"tint":"green","holes":["a",null],"any":[1],"odd":1,"inner":[{"flag":false,"small":1,)"
        R"("user":0,"text":"","here":{"x":1},"pair":[0,0],"tints":{},"inner":[],"holes":[],"odd":1}],"more":{}})"
    ));
    expect_same<point>({R"({"x":1,"y":1e38})", R"({"x":1,"y":-1e39})", R"({"x":1e300})", "null"});
    expect_same<ping>({"{}", R"({"a":1})", "[]", "null"});
    expect_same<text_line>({R"("a")", "1", "null", "{}"});
    expect_same<places>({"[]", R"([{"x":1}])", R"([{"x":"a"}])", "[null]", "{}"});
    expect_same<std::optional<point>>({"null", R"({"x":1})", R"({"y":1})"});
    expect_same<std::unordered_map<std::string, std::int64_t>>(
        {"{}", R"({"a":9223372036854775807})", R"({"a":9223372036854775808})", R"({"a":null})"}
    );
}

TEST(json_schema, a_message_is_written_as_people_would) {
    EXPECT_EQ(
        schema_writer().message<ping>().message<text_line>().message<places>().str(),
        "{\n"
        R"(  "message": {"type":"string"},)"
        "\n"
        R"(  "ping": {"type":"object"},)"
        "\n"
        R"(  "places": {"type":"array","items":{"$ref":"#/$defs/point"},"$defs":{"point":{"type":"object",)"
        R"("properties":{"x":{"type":"number"},"y":{"type":["number","null"],"minimum":-3.4028234663852886e+38,)"
        R"("maximum":3.4028234663852886e+38}},"required":["x"]}}})"
        "\n"
        "}\n"
    );
}

TEST(json_schema, a_form_of_the_programs_own_is_anything_unless_it_has_a_schema) {
    EXPECT_EQ(schema_of_type::document<own::colour_index>(), "true");
    EXPECT_EQ(schema_of_type::document<std::vector<own::odd>>(), R"({"type":"array","items":{"const":1}})");
}

}  // namespace
