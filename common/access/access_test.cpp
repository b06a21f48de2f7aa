#include "common/access/grants.hpp"
#include "common/access/pattern.hpp"
#include "common/access/principal.hpp"

#include <gtest/gtest.h>

namespace pulsewire::access {
namespace {

TEST(pattern, matches_by_segments) {
    const struct {
        const char *pattern, *channel;
        bool matches;
    } rows[] = {
        {"chat", "chat", true},
        {"chat", "chat:1", false},
        {"chat:*", "chat:1", true},
        {"chat:*", "chat", false},
        {"chat:*", "chat:1:2", false},
        {"chat:**", "chat:1:2", true},
        {"chat:**", "chat", false},
        {"chat:**", "chatter:1", false},
        {"*", "chat", true},
        {"*", "chat:1", false},
        {"**", "chat:1:2", true},
        {"*:*:log", "a:b:log", true},
        {"*:*:log", "a:b:logs", false},
        {"chat:*:x", "chat::x", true},
        {"user:{user}", "user:ann", true},
        {"user:{user}", "user:bob", false},
        {"user:{user}:**", "user:ann:x", true},
        {"{user}", "ann", true},
    };
    for (const auto& row : rows)
        EXPECT_EQ(matches(row.pattern, row.channel, "ann"), row.matches) << row.pattern << " " << row.channel;
}

TEST(pattern, of_the_own_name_matches_nothing_for_somebody_unknown) {
    EXPECT_FALSE(matches("user:{user}", "user:", ""));
    EXPECT_FALSE(matches("user:{user}", "user:{user}", ""));
}

TEST(pattern, is_a_name_or_unmistakably_a_pattern) {
    for (const char* right :
         {"a", "a:b", "*", "**", "a:**", "a:*:{user}", "user:auth0=7C5", "a/b:c@d", "a::b"})
        EXPECT_EQ(fault_of_pattern(right), "") << right;
    for (const char* wrong :
         {"", "**:a", "a*", "*a", "a:***", "a:{user}x", "a:{users}", "a b", "a:\xc3\xa9", "{"})
        EXPECT_NE(fault_of_pattern(wrong), "") << wrong;
    EXPECT_EQ(fault_of_pattern(std::string(255, 'a')), "");
    EXPECT_NE(fault_of_pattern(std::string(256, 'a')), "");
}

TEST(grants, add_up_in_any_order) {
    const auto g = grants::parse(R"({"chat:**":["subscribe"],"chat:1":["publish"],"a\/b":["history"]})");
    ASSERT_TRUE(g);
    EXPECT_EQ(g->on("chat:1", "ann"), operations(operation::subscribe) | operation::publish);
    EXPECT_EQ(g->on("chat:2", "ann"), operations(operation::subscribe));
    EXPECT_EQ(g->on("a/b", "ann"), operations(operation::history)) << "PHP escapes slashes";
    EXPECT_TRUE(g->on("other", "ann").empty());
}

TEST(grants, refuse_whatever_is_not_exactly_right) {
    for (const char* wrong :
         {"", "[]", "null", R"({"a":"subscribe"})", R"({"a":["subscribe","fly"]})", R"({"a*":["subscribe"]})",
          R"({"a":["Subscribe"]})", R"({"a":["subscribe"]}x)", R"({"a":["subscribe",]})", R"({"a":[1]})",
          R"({"a":{"subscribe":true}})"})
        EXPECT_FALSE(grants::parse(wrong)) << wrong;
    const auto unknown = grants::parse(R"({"chat:**":["read"]})");
    ASSERT_FALSE(unknown);
    EXPECT_NE(unknown.error().find("\"read\" is no operation"), std::string::npos) << unknown.error();
    EXPECT_NE(unknown.error().find("subscribe"), std::string::npos) << "what there is instead";
}

TEST(grants, are_at_most_64) {
    grants g;
    for (int i = 0; i < 64; ++i) EXPECT_EQ(g.add("a:" + std::to_string(i), operation::publish), "");
    EXPECT_NE(g.add("a:64", operation::publish), "");
}

TEST(principal, that_is_a_program_may_what_its_key_says_and_nothing_more) {
    principal ci;
    ci.is_program = true;
    ASSERT_EQ(ci.allowed.add("news:**", operation::publish), "");
    EXPECT_EQ(permitted(&ci, "news:1", access_rules::none()), operations(operation::publish));
    EXPECT_EQ(permitted(&ci, "news:1", access_rules()), operations(operation::publish))
        << "what everybody may is not for programs";
    EXPECT_TRUE(permitted(&ci, "chat:1", access_rules()).empty());
}

TEST(principal, has_what_the_rules_and_the_token_give) {
    const access_rules rules{operation::subscribe, operation::publish, operation::history};
    principal ann;
    ann.user = "ann";
    ASSERT_EQ(ann.allowed.add("x:{user}:*", operation::presence), "");
    EXPECT_EQ(permitted(nullptr, "x:ann:1", rules), operations(operation::subscribe));
    EXPECT_EQ(permitted(&ann, "x:bob:1", rules), operations(operation::subscribe) | operation::publish);
    EXPECT_EQ(
        permitted(&ann, "x:ann:1", rules),
        operations(operation::subscribe) | operation::publish | operation::history | operation::presence
    );
    EXPECT_EQ(
        permitted(&ann, "x:ann", rules),
        operations(operation::subscribe) | operation::publish | operation::history
    );
    EXPECT_FALSE(permitted(&ann, "ann:x", rules).has(operation::history)) << "the second segment, no other";
}

TEST(principal, without_a_name_is_no_user) {
    const access_rules rules{operation::subscribe, operation::publish, operation::history};
    EXPECT_EQ(
        permitted(std::make_unique<principal>().get(), "x::1", rules), operations(operation::subscribe)
    );
}

TEST(principal, is_named_by_a_name_that_is_nobody_elses) {
    EXPECT_EQ(wire_name_of("auth0|5"), "auth0=7C5");
    EXPECT_EQ(wire_name_of("ann-b_c.d9"), "ann-b_c.d9");
    EXPECT_EQ(wire_name_of("a=7Cb"), "a=3D7Cb") << "not the name of a|b";
    EXPECT_EQ(wire_name_of("a:b*{user}"), "a=3Ab=2A=7Buser=7D");
    for (const std::string user : {"ann", "auth0|5", "=", "a=7Cb", "\xc3\xa9\x01 "})
        EXPECT_EQ(user_named(wire_name_of(user)), user);
    for (const char* other : {"a=", "a=7", "a=7c", "a=41", "a|b"}) EXPECT_EQ(user_named(other), "") << other;
}

}  // namespace
}  // namespace pulsewire::access
