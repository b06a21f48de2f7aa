#include "common/protocol/names.hpp"

#include "common/protocol/codes.hpp"

#include <gtest/gtest.h>

#include <string>

namespace pulsewire {
namespace {

TEST(
    names, have_their_lengths_and_characters
) {  // 1.2, 1.3, 1.4, 4.1, 4.9; command_test goes through all characters
    static_assert(
        is_channel("chat:42") && is_channel("_-.:/@~=+$!") && !is_channel("") && !is_channel("a b")
    );
    static_assert(
        is_type("chat.message") && !is_type("a@b") && !is_type("pulsewire.x") && is_type("pulsewires")
    );
    static_assert(is_session("12345678") && !is_session("1234567") && !is_session("1234567."));
    static_assert(is_key("a:b.c-d_e") && !is_key("a/b") && is_epoch("x7Qa") && !is_epoch("x.y"));
    EXPECT_TRUE(is_channel(std::string(255, 'a')) && !is_channel(std::string(256, 'a')));
    EXPECT_TRUE(is_session(std::string(64, 'a')) && !is_session(std::string(65, 'a')));
    EXPECT_FALSE(is_channel(std::string("a\0b", 3)));
    EXPECT_FALSE(is_channel("caf\xc3\xa9"));
}

TEST(names, the_namespace_stands_before_the_first_colon) {  // 1.1
    static_assert(namespace_of("chat:42") == "chat" && namespace_of("a:b:c") == "a");
    static_assert(namespace_of("chat").empty() && namespace_of(":42").empty() && namespace_of("").empty());
}

TEST(names, the_range_of_a_close_code_says_whether_to_come_back) {  // 7.2
    static_assert(
        !should_reconnect(1000) && should_reconnect(999) && should_reconnect(1001) && should_reconnect(0)
    );
    static_assert(
        should_reconnect(4499) && !should_reconnect(4500) && !should_reconnect(4999) && should_reconnect(5000)
    );
    static_assert(should_reconnect(1006) && should_reconnect(1012) && should_reconnect(65535));
}

}  // namespace
}  // namespace pulsewire
