#include "server/feed/json_part.hpp"

#include <gtest/gtest.h>

namespace pulsewire::shell::feed {
namespace {

TEST(json_part, is_taken_as_it_is_written) {
    constexpr std::string_view json =
        R"({"id": 10000000000000000001, "a": {"b": [1, {"c": 1.50}]}, "t": "x"})";
    EXPECT_EQ(part_of(json, ""), json);
    EXPECT_EQ(part_of(json, "/id"), "10000000000000000001");
    EXPECT_EQ(part_of(json, "/a/b/1/c"), "1.50");
    EXPECT_EQ(part_of(json, "/a/b/1"), R"({"c": 1.50})");
    EXPECT_EQ(part_of(json, "/t"), R"("x")");
    EXPECT_EQ(part_of("  7 ", ""), "7");
}

TEST(json_part, that_is_not_there_is_nothing) {
    constexpr std::string_view json = R"({"a": [1, 2], "e": [], "n": 1})";
    for (const std::string_view pointer :
         {"/b", "/a/2", "/a/-", "/a/01", "/a/x", "/a/+1", "/e/0", "/n/x", "/a/0/0", "/"})
        EXPECT_EQ(part_of(json, pointer), std::nullopt) << pointer;
    EXPECT_EQ(part_of(R"({"": 1})", "/"), "1");
}

TEST(json_part, has_names_with_escapes_on_both_sides) {
    constexpr std::string_view json = R"({"a/b": 1, "m~n": 2, "\u0061c": 3, "d": 4, "d": 5})";
    EXPECT_EQ(part_of(json, "/a~1b"), "1");
    EXPECT_EQ(part_of(json, "/m~0n"), "2");
    EXPECT_EQ(part_of(json, "/ac"), "3");
    EXPECT_EQ(part_of(json, "/d"), "5");
}

TEST(json_part, is_named_by_a_pointer) {
    for (const std::string_view good : {"", "/", "/a", "/a/0", "/a~0b", "/a~1b"})
        EXPECT_TRUE(is_json_pointer(good)) << good;
    for (const std::string_view bad : {"a", "/a~", "/a~2", "~0"}) EXPECT_FALSE(is_json_pointer(bad)) << bad;
}

}  // namespace
}  // namespace pulsewire::shell::feed
