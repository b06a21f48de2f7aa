#include "server/identity/test_tokens.hpp"

#include <gtest/gtest.h>

namespace pulsewire::identity {
namespace {

using nlohmann::json;

outcome shown(const json& others, std::int64_t now_ms = test_now_ms) {
    return token_verifier({issuer_with_secret()}).verify(token_of(others), now_ms);
}

accepted taken(const json& others) {
    const outcome o = shown(others);
    if (!std::holds_alternative<accepted>(o)) ADD_FAILURE() << why(o);
    return std::get<accepted>(o);
}

constexpr std::int64_t now_s = test_now_ms / 1000;

TEST(claims, name_the_user_and_the_end) {
    const auto who = taken({{"jti", "t1"}, {"iat", now_s - 5}}).who;
    EXPECT_EQ(who->user, "anna");
    EXPECT_EQ(who->token_id, "t1");
    EXPECT_EQ(who->issued_ms, test_now_ms - 5'000);
    EXPECT_EQ(who->expires_ms, test_now_ms + 3'600'000);
    EXPECT_TRUE(who->allowed.empty());
    EXPECT_EQ(who->info, "");
}

TEST(claims, of_the_issuer_the_audience_and_the_end_are_mandatory) {
    EXPECT_EQ(told(shown({{"iss", nullptr}})), "issuer");
    EXPECT_EQ(told(shown({{"iss", "https://login.example.com/"}})), "issuer");
    EXPECT_EQ(told(shown({{"iss", json::array({"https://login.example.com"})}})), "issuer");
    EXPECT_EQ(told(shown({{"aud", nullptr}})), "audience");
    EXPECT_EQ(told(shown({{"aud", "other"}})), "audience");
    EXPECT_EQ(told(shown({{"aud", 7}})), "audience");
    EXPECT_EQ(told(shown({{"aud", {"other", "rt.example.com.evil"}}})), "audience");
    EXPECT_EQ(told(shown({{"aud", json::array({7, "rt.example.com"})}})), "audience");
    EXPECT_EQ(told(shown({{"aud", {"other", "rt.example.com"}}})), "user anna");
    EXPECT_EQ(told(shown({{"exp", nullptr}})), "claim");
}

TEST(claims, have_thirty_seconds_of_leeway) {
    const json exp = {{"exp", now_s}};
    EXPECT_EQ(told(shown(exp, test_now_ms + 29'999)), "user anna");
    EXPECT_EQ(told(shown(exp, test_now_ms + 30'000)), "expired");
    for (const char* name : {"nbf", "iat"}) {
        EXPECT_EQ(told(shown({{name, now_s + 30}})), "user anna") << name;
        EXPECT_EQ(told(shown({{name, now_s + 31}})), "not_yet_valid") << name;
    }
}

TEST(claims, take_times_with_decimals_and_no_other_form) {
    EXPECT_EQ(taken({{"exp", 1764000000.5}}).who->expires_ms, 1'764'000'000'500);
    for (const char* name : {"exp", "nbf", "iat"})
        for (const json& wrong :
             {json("1764003600"), json(true), json::array({now_s}), json(-1), json(1e300),
              json(now_s * 1000)})
            EXPECT_EQ(told(shown({{name, wrong}})), "claim") << name << " " << wrong;
}

TEST(claims, name_the_user_as_configured) {
    token_issuer issuer = issuer_with_secret();
    issuer.user_claim = "email";
    const token_verifier by_mail({issuer});
    EXPECT_EQ(told(by_mail.verify(token_of({{"email", "a@b"}}), test_now_ms)), "user a=40b");
    EXPECT_EQ(told(by_mail.verify(token_of(), test_now_ms)), "user");
}

TEST(claims, have_a_user_of_a_usable_name) {
    EXPECT_EQ(taken({{"sub", "auth0|5"}}).who->user, "auth0=7C5");
    for (const json& wrong :
         {json(nullptr), json(""), json(7), json(std::string(129, 'a')), json(std::string(43, '|'))})
        EXPECT_EQ(told(shown({{"sub", wrong}})), "user") << wrong;
    EXPECT_EQ(taken({{"sub", std::string(128, 'a')}}).who->user.size(), 128u);
    EXPECT_EQ(taken({{"sub", std::string(42, '|')}}).who->user.size(), 126u);
}

TEST(claims, that_are_no_utf8_are_malformed) {
    const signing_key secret = signing_key::from_secret(test_secret);
    const std::string text =
        to_base64url(R"({"alg":"HS256"})") + "." +
        to_base64url(R"({"iss":"https://login.example.com","aud":"rt.example.com","exp":1764003600,"sub":")"
                     "\xff\"}");
    const std::string token = text + "." + to_base64url(*secret.sign(algorithm::hs256, text));
    EXPECT_EQ(told(token_verifier({issuer_with_secret()}).verify(token, test_now_ms)), "malformed");
}

// Protocol 3.2: a frame is ASCII before its payload.
TEST(claims, what_they_show_is_ascii) {
    const accepted one = taken({{"pulsewire", {{"info", {{"name", "J\xc3\xbcrgen"}}}}}});
    EXPECT_EQ(one.who->info, R"({"name":"J\u00fcrgen"})");
}

TEST(claims, of_ours_grant_inform_and_subscribe) {
    const accepted one = taken(
        {{"sub", "a|b"},
         {"pulsewire",
          {{"allow", {{"chat:**", {"subscribe", "publish"}}, {"user:{user}", {"history"}}}},
           {"info", {{"name", "Anna"}}},
           {"subscribe", {"user:{user}", "news"}}}}}
    );
    EXPECT_EQ(one.who->info, R"({"name":"Anna"})");
    EXPECT_TRUE(one.who->allowed.on("chat:1", one.who->user).has(operation::publish));
    EXPECT_FALSE(one.who->allowed.on("chat:1", one.who->user).has(operation::history));
    EXPECT_TRUE(one.who->allowed.on("user:a=7Cb", one.who->user).has(operation::history));
    EXPECT_EQ(one.who->subscribe, (std::vector<std::string>{"user:a=7Cb", "news"}));
}

TEST(claims, of_ours_are_refused_as_a_whole_and_the_reason_names_the_fault) {
    const auto reason = [](const json& own) {
        const outcome o = shown({{"pulsewire", own}});
        EXPECT_EQ(told(o), "claim") << own;
        return why(o);
    };
    EXPECT_NE(reason({{"alow", json::object()}}).find("\"alow\""), std::string::npos);
    EXPECT_NE(reason({{"allow", {{"chat:**", {"subscribe", "read"}}}}}).find("\"read\""), std::string::npos);
    EXPECT_NE(reason({{"allow", {{"chat:**:x", {"subscribe"}}}}}).find("chat:**:x"), std::string::npos);
    EXPECT_NE(reason({{"info", "Anna"}}).find("info"), std::string::npos);
    EXPECT_NE(reason({{"info", {{"x", std::string(1'017, 'x')}}}}).find("1025"), std::string::npos);
    EXPECT_NE(reason({{"subscribe", {"chat:*"}}}).find("chat:*"), std::string::npos);
    EXPECT_NE(reason({{"subscribe", json(std::vector<std::string>(65, "a"))}}).find("64"), std::string::npos);
    EXPECT_NE(reason({{"subscribe", "news"}}).find("subscribe"), std::string::npos);
    (void)reason(json("admin"));
    EXPECT_EQ(taken({{"pulsewire", {{"info", {{"x", std::string(1'016, 'x')}}}}}}).who->info.size(), 1'024u);
}

TEST(claims, have_an_id_of_bounded_length) {
    EXPECT_EQ(told(shown({{"jti", 7}})), "claim");
    EXPECT_EQ(told(shown({{"jti", std::string(129, 'a')}})), "claim");
    EXPECT_EQ(told(shown({{"jti", std::string(128, 'a')}})), "user anna");
}

}  // namespace
}  // namespace pulsewire::identity
