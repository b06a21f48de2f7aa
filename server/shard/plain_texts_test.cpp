#include "server/shard/plain_texts.hpp"

#include "common/exchange/message_text.hpp"

#include <gtest/gtest.h>

namespace pulsewire::shell {
namespace {

std::string in_brackets(std::string_view payload) {
    return "<" + std::string(payload) + ">";
}

TEST(plain_texts, a_text_is_made_once_for_everyone_who_gets_the_message_in_a_turn) {
    plain_texts texts;
    const auto m = hub::make_direct("c", "t", "1"), next = hub::make_direct("c", "t", "2");
    const delivery::shared_bytes first = texts.of(m, in_brackets), second = texts.of(next, in_brackets);
    EXPECT_EQ(*first, "<1>");
    EXPECT_EQ(texts.of(m, in_brackets), first) << "though another message came between";
    EXPECT_EQ(texts.of(next, in_brackets), second);
}

TEST(plain_texts, another_message_has_another_text) {
    plain_texts texts;
    const delivery::shared_bytes first = texts.of(hub::make_direct("c", "t", "1"), in_brackets);
    EXPECT_EQ(*texts.of(hub::make_direct("c", "t", "2"), in_brackets), "<2>");
    EXPECT_EQ(*first, "<1>");
}

TEST(plain_texts, a_text_keeps_its_message_alive_and_nothing_else_does_after_forgetting) {
    plain_texts texts;
    auto m = hub::make_direct("c", "t", "1");
    const std::weak_ptr<const hub::message> alive = m;
    delivery::shared_bytes text = texts.of(m, in_brackets);
    m.reset();
    texts.forget();
    EXPECT_FALSE(alive.expired());
    text.reset();
    EXPECT_TRUE(alive.expired());
}

}  // namespace
}  // namespace pulsewire::shell
