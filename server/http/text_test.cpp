#include "server/http/text.hpp"

#include <gtest/gtest.h>

namespace pulsewire::shell {
namespace {

TEST(http_text, a_list_has_its_elements_in_any_case) {
    EXPECT_TRUE(list_has("keep-alive, Upgrade", "upgrade"));
    EXPECT_TRUE(list_has("\tBR ,gzip", "br"));
    EXPECT_FALSE(list_has("upgrades", "upgrade"));
    EXPECT_FALSE(list_has("", "br"));
    EXPECT_FALSE(list_has("br;q=0", "br"));
}

TEST(http_text, escapes_are_decoded_and_wrong_ones_refused) {
    EXPECT_EQ(decode_percent("a%20b%2Fc%2f"), "a b/c/");
    EXPECT_EQ(decode_percent("a+b"), "a+b");
    EXPECT_EQ(decode_percent("%00"), std::string(1, '\0'));
    for (const char* wrong : {"%", "%4", "a%", "%4g", "%g4", "%%41"})
        EXPECT_EQ(decode_percent(wrong), std::nullopt) << wrong;
}

}  // namespace
}  // namespace pulsewire::shell
