#include "server/permission/question.hpp"

#include "server/permission/word_cache.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace pulsewire::permission {
namespace {

hub::authorize asked(const std::string& user, const std::string& channel) {
    hub::authorize q;
    q.wants = operations(operation::subscribe) | operation::history;
    q.user = user;
    q.channel = channel;
    q.session = "a-session";
    return q;
}

TEST(question, says_all_that_an_answer_can_depend_on) {
    EXPECT_EQ(
        text_of(asked("ann", "chat:1")),
        R"({"operations":["subscribe","history"],"channel":"chat:1","session":"a-session","user":"ann"})"
    );
}

TEST(question, is_answered_by_allow_and_nothing_else) {
    EXPECT_TRUE(read_word(R"({"allow":true})")->allow);
    EXPECT_EQ(read_word(R"({"allow":true,"cache_s":30})")->cache_ms, 30'000);
    EXPECT_EQ(read_word(R"({"allow":false,"reason":"no"})")->reason, "no");
    for (const char* wrong :
         {"", "true", "{}", R"({"allow":1})", R"({"allow":"true"})", R"({"allow":null})",
          R"([{"allow":true}])", R"({"allow":true)", R"({"allow":true,"cache_s":-1})",
          R"({"allow":true,"cache_s":"1"})", R"({"allow":true,"cache_s":3601})",
          R"({"allow":true,"reason":1})"})
        EXPECT_FALSE(read_word(wrong)) << wrong;
    EXPECT_FALSE(read_word(R"({"allow":false,"reason":")" + std::string(201, 'x') + "\"}"));
}

TEST(question, has_a_key_of_its_own_unless_the_answer_is_the_same) {
    std::set<std::string> keys;
    for (const char* user : {"", "a", "ab", "a1:b"})
        for (const char* channel : {"b", "bc", "1:b", "c"}) keys.insert(key_of(asked(user, channel)));
    EXPECT_EQ(keys.size(), 16u);
    auto other = asked("ann", "b");
    const std::string key = key_of(other);
    other.session = "another-session";
    EXPECT_EQ(key_of(other), key) << "the user is known";
    other.wants = operation::publish;
    EXPECT_NE(key_of(other), key);
    auto unknown = asked("", "b");
    const std::string of_session = key_of(unknown);
    unknown.session = "another-session";
    EXPECT_NE(key_of(unknown), of_session);
}

TEST(question, goes_to_http_and_https_addresses_only) {
    EXPECT_EQ(fault_of_address("http://127.0.0.1:3000/may"), "");
    EXPECT_EQ(fault_of_address("https://app.example.com/may"), "");
    for (const char* wrong : {"", "/may", "127.0.0.1:3000", "file:///etc/passwd", "ftp://host/may"})
        EXPECT_NE(fault_of_address(wrong), "") << wrong;
}

TEST(word_cache, keeps_words_as_long_as_they_say_and_no_more_than_its_bound) {
    word_cache cache;
    cache.keep("never", {true, {}, 0}, 0);
    EXPECT_FALSE(cache.find("never", 0));
    cache.keep("short", {true, {}, 1'000}, 0);
    EXPECT_TRUE(cache.find("short", 999));
    EXPECT_FALSE(cache.find("short", 1'000));
    for (std::size_t i = 0; i < word_cache::entries_max + 5; ++i)
        cache.keep(std::to_string(i), {true, {}, 1'000}, 0);
    EXPECT_EQ(cache.size(), word_cache::entries_max);
    EXPECT_FALSE(cache.find("short", 0)) << "the oldest makes room";
    EXPECT_TRUE(cache.find(std::to_string(word_cache::entries_max + 4), 0));
}

}  // namespace
}  // namespace pulsewire::permission
