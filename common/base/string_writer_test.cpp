#include "common/base/string_writer.hpp"

#include <gtest/gtest.h>

#include <string>

namespace pulsewire {
namespace {

std::string written_over(std::string text) {
    string_writer out(text);
    out.add('{', "key", std::string_view(), std::string("=") + std::string(20, 'v'));
    out.add_number(1'234'567'890);
    out += ";";
    out.push_back('}');
    EXPECT_EQ(out.size(), 37u);
    out.finish();
    return text;
}

TEST(string_writer, writes_the_same_whatever_length_was_expected) {
    const std::string all = "{key=vvvvvvvvvvvvvvvvvvvv1234567890;}";
    for (std::size_t expected = 0; expected < 100; ++expected)
        EXPECT_EQ(written_over(std::string(expected, '?')), all) << expected;
}

TEST(string_writer, a_text_of_the_expected_length_gets_no_other_memory) {
    std::string text(37, '?');
    const char* const memory = text.data();
    string_writer out(text);
    out.add(std::string(27, 'a'));
    out.add_number(1'234'567'890);
    out.finish();
    EXPECT_EQ(text, std::string(27, 'a') + "1234567890");
    EXPECT_EQ(text.data(), memory);
}

}  // namespace
}  // namespace pulsewire
