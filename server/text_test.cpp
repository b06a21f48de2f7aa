#include "server/text.hpp"

#include <gtest/gtest.h>

namespace pulsewire::shell {
namespace {

TEST(text, letters_are_the_same_in_any_case_and_nothing_else_is) {
    EXPECT_TRUE(same_ignoring_case("Host", "hOST"));
    EXPECT_FALSE(same_ignoring_case("host", "hos"));
    // '@' and '`' differ in the same bit as a letter's cases do.
    EXPECT_FALSE(same_ignoring_case("@", "`"));
    EXPECT_FALSE(same_ignoring_case("[", "{"));
}

TEST(text, spaces_and_tabs_are_trimmed_and_nothing_else_is) {
    EXPECT_EQ(trimmed(" \ta b\t "), "a b");
    EXPECT_EQ(trimmed(" \t"), "");
    EXPECT_EQ(trimmed("\na"), "\na");
}

TEST(text, a_number_is_digits_alone) {
    EXPECT_EQ(parse_number("0"), 0u);
    EXPECT_EQ(parse_number("007"), 7u);
    EXPECT_EQ(parse_number("9999999999999999999"), 9'999'999'999'999'999'999u);
    for (const char* wrong : {"", "-1", "+1", " 1", "1 ", "0x1", "1.0", "10000000000000000000"})
        EXPECT_EQ(parse_number(wrong), std::nullopt) << wrong;
}

}  // namespace
}  // namespace pulsewire::shell
