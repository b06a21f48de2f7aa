#include "common/message/wire_containers.hpp"

#include "common/message/payload.hpp"

#include <gtest/gtest.h>

#include <array>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace {

using namespace pulsewire;

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

TEST(wire_containers, an_optional_is_its_value_or_null) {
    expect_round_trip(std::optional<int>(5), "5");
    expect_round_trip(std::optional<int>(), "null");
    EXPECT_EQ(refusal<std::optional<int>>("\"5\""), "expected integer, found string");
}

TEST(wire_containers, vectors_are_arrays) {
    expect_round_trip(std::vector<int>{}, "[]");
    expect_round_trip(std::vector<int>{1, 2, 3}, "[1,2,3]");
    expect_round_trip(
        std::vector<std::vector<std::string>>{{"a"}, {}, {"b", "c"}}, R"([["a"],[],["b","c"]])"
    );
    expect_round_trip(std::vector<bool>{true, false}, "[true,false]");
    expect_round_trip(std::vector<std::optional<int>>{1, {}, 3}, "[1,null,3]");
    EXPECT_EQ(refusal<std::vector<int>>("{}"), "expected array, found object");
    EXPECT_EQ(refusal<std::vector<int>>("[1,2,\"3\"]"), "/2: expected integer, found string");
    EXPECT_EQ(refusal<std::vector<std::vector<int>>>("[[],[1,null]]"), "/1/1: expected integer, found null");
}

TEST(wire_containers, arrays_have_exactly_their_size) {
    expect_round_trip(std::array<int, 3>{1, 2, 3}, "[1,2,3]");
    expect_round_trip(std::array<int, 0>{}, "[]");
    EXPECT_EQ((refusal<std::array<int, 3>>("[1,2]")), "expected array of 3, found array of 2");
    EXPECT_EQ((refusal<std::array<int, 3>>("[1,2,3,4]")), "expected array of 3, found array of 4");
    EXPECT_EQ((refusal<std::array<int, 3>>("[1,2,true]")), "/2: expected integer, found boolean");
    EXPECT_EQ((refusal<std::array<int, 3>>("null")), "expected array of 3, found null");
}

TEST(wire_containers, maps_are_objects) {
    expect_round_trip(std::map<std::string, int>{}, "{}");
    expect_round_trip(std::map<std::string, int>{{"a", 1}, {"", 2}, {"q\"", 3}}, R"({"":2,"a":1,"q\"":3})");
    expect_round_trip(std::map<std::string, bool>{{"a", true}}, R"({"a":true})");
    expect_round_trip(std::unordered_map<std::string, double>{{"a", 0.5}}, R"({"a":0.5})");
    EXPECT_EQ((refusal<std::map<std::string, int>>("[]")), "expected object, found array");
    EXPECT_EQ((refusal<std::unordered_map<std::string, int>>("1")), "expected object, found number");
    EXPECT_EQ(
        (refusal<std::map<std::string, std::vector<int>>>(R"({"a/b~":[0,"x"]})")),
        "/a~1b~0/1: expected integer, found string"
    );
}

TEST(wire_containers, reading_replaces_what_was_there) {
    payload_error error;
    std::vector<int> numbers{7, 8, 9};
    json_value two = json_value::array({1, 2});
    EXPECT_TRUE(wire_form<std::vector<int>>::read(two, numbers, error));
    EXPECT_EQ(numbers, (std::vector<int>{1, 2}));

    std::map<std::string, int> entries{{"old", 1}};
    json_value fresh = {{"new", 2}};
    EXPECT_TRUE((wire_form<std::map<std::string, int>>::read(fresh, entries, error)));
    EXPECT_EQ(entries, (std::map<std::string, int>{{"new", 2}}));
}

}  // namespace
