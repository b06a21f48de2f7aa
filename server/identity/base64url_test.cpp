#include "server/identity/base64url.hpp"

#include <gtest/gtest.h>

namespace pulsewire::identity {
namespace {

TEST(base64url, writes_and_reads_every_byte) {
    std::string bytes;
    for (int i = 0; i < 259; ++i) {
        const std::string text = to_base64url(bytes);
        EXPECT_EQ(from_base64url(text), bytes) << i;
        bytes.push_back(static_cast<char>(i * 7));
    }
    // RFC 7515 appendix C.
    EXPECT_EQ(to_base64url("\x03\xec\xff\xe0\xc1"), "A-z_4ME");
}

TEST(base64url, has_one_spelling_for_each_value) {
    for (const char* wrong :
         {"A", "AAAAA", "AB", "AAB", "AA==", "AA=", "A A", "AA\n", "+A", "/A", "A.A", "\xc3\xa4"})
        EXPECT_EQ(from_base64url(wrong), std::nullopt) << wrong;
    EXPECT_EQ(from_base64url("AA"), std::string(1, '\0'));
    EXPECT_EQ(from_base64url(""), "");
}

}  // namespace
}  // namespace pulsewire::identity
