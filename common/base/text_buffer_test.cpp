#include "common/base/text_buffer.hpp"

#include <gtest/gtest.h>

#include <string>

namespace pulsewire {
namespace {

TEST(text_buffer, grows_by_characters_and_by_texts) {
    text_buffer text;
    EXPECT_TRUE(text.empty());
    EXPECT_EQ(std::string_view(text), "");
    std::string expected;
    for (int i = 0; i < 300; ++i) {
        text.push_back('a');
        text += std::string_view("bc").substr(0, static_cast<std::size_t>(i % 3));
        expected += 'a';
        expected += std::string("bc").substr(0, static_cast<std::size_t>(i % 3));
        ASSERT_EQ(std::string_view(text), expected);
    }
    EXPECT_EQ(text.size(), expected.size());
}

TEST(text_buffer, is_replaced_cleared_and_compared) {
    text_buffer text("first");
    EXPECT_TRUE(text == "first");
    text = std::string_view("second");
    EXPECT_TRUE(text == "second");
    EXPECT_FALSE(text == "secon");
    text = std::string_view("");
    EXPECT_TRUE(text.empty());
    text += std::string_view("x");
    text.clear();
    EXPECT_TRUE(text == "");
    text += std::string_view{};
    EXPECT_EQ(text.size(), 0u);
}

}  // namespace
}  // namespace pulsewire
