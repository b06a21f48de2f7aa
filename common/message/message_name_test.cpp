#include "common/message/message_name.hpp"

#include <gtest/gtest.h>

#include <string>

namespace {

using pulsewire::is_message_name;

TEST(message_name, letters_digits_and_five_marks_are_allowed) {
    static_assert(is_message_name("chat.message"));
    static_assert(is_message_name("a"));
    static_assert(is_message_name("AZaz09_-.:/"));
}

TEST(message_name, other_characters_are_refused_while_compiling) {
    static_assert(!is_message_name("chat message"));
    static_assert(!is_message_name("chat\nmessage"));
    static_assert(!is_message_name("chat\"message"));
    static_assert(!is_message_name("chat\\message"));
    static_assert(!is_message_name("chat@message"));
    static_assert(!is_message_name("chat[message"));
    static_assert(!is_message_name("chat`message"));
    static_assert(!is_message_name("chat{message"));
    static_assert(!is_message_name("chat;message"));
    static_assert(!is_message_name("ch\xC3\xA4t"));
    static_assert(!is_message_name(std::string_view("a\0b", 3)));
}

TEST(message_name, one_to_sixty_four_characters_are_allowed) {
    static_assert(!is_message_name(""));
    EXPECT_TRUE(is_message_name(std::string(64, 'x')));
    EXPECT_FALSE(is_message_name(std::string(65, 'x')));
}

}  // namespace
