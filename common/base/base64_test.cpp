#include "common/base/base64.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace pulsewire {
namespace {

struct spelling {
    std::string_view bytes, text;
};

TEST(base64, the_vectors_of_rfc_4648_section_10) {
    for (const spelling s :
         {spelling{"", ""}, spelling{"f", "Zg=="}, spelling{"fo", "Zm8="}, spelling{"foo", "Zm9v"},
          spelling{"foob", "Zm9vYg=="}, spelling{"fooba", "Zm9vYmE="}, spelling{"foobar", "Zm9vYmFy"}}) {
        EXPECT_EQ(to_base64(s.bytes), s.text);
        std::string back = "before ";
        EXPECT_TRUE(append_from_base64(back, s.text));
        EXPECT_EQ(back, "before " + std::string(s.bytes));
    }
}

TEST(base64, every_pair_of_bytes_comes_back) {
    for (int first = 0; first < 256; ++first)
        for (int second = 0; second < 256; ++second) {
            const std::string bytes{static_cast<char>(first), static_cast<char>(second)};
            std::string back;
            ASSERT_TRUE(append_from_base64(back, to_base64(bytes)));
            ASSERT_EQ(back, bytes);
        }
}

TEST(base64, a_text_that_no_bytes_have_is_refused) {
    for (const std::string_view text :
         {"Z", "Zg", "Zg=", "Zm9vY", "Zm9v=", "====", "Z===", "=Zg=", "Zg==Zg==", "Zm=v", "Zm9 ", "Zm9\n",
          "Zm9-", "Zm9_", "Zh==", "Zm9=", "Zm8=\n", "Zm8=Zm8="}) {
        std::string bytes;
        EXPECT_FALSE(append_from_base64(bytes, text)) << text;
    }
    std::string bytes;
    EXPECT_FALSE(append_from_base64(bytes, std::string_view("Zm\0v", 4)));
}

}  // namespace
}  // namespace pulsewire
