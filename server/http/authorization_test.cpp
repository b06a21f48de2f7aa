#include "server/http/authorization.hpp"

#include <gtest/gtest.h>

#include <string>

namespace pulsewire::shell {
namespace {

bool carries(const std::string& fields) {
    const auto r = read_request_head("GET / HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n", shell_limits{});
    return key_of(**r) == "the-key";
}

TEST(authorization, the_key_is_carried_as_bearer) {
    EXPECT_TRUE(carries("Authorization: Bearer the-key\r\n"));
    EXPECT_TRUE(carries("authorization: bearer  the-key \r\n"));
}

TEST(authorization, nothing_else_is_the_key) {
    EXPECT_FALSE(carries(""));
    EXPECT_FALSE(carries("Authorization: the-key\r\n"));
    EXPECT_FALSE(carries("Authorization: Basic the-key\r\n"));
    EXPECT_FALSE(carries("Authorization: Bearer\r\n"));
    EXPECT_FALSE(carries("Authorization: Bearer the-ke\r\n"));
    EXPECT_FALSE(carries("Authorization: Bearer the-key2\r\n"));
    EXPECT_FALSE(carries("Authorization: Bearer THE-KEY\r\n"));
}

// Which one counts would be for each reader to guess.
TEST(authorization, two_fields_carry_nothing) {
    EXPECT_FALSE(carries("Authorization: Bearer the-key\r\nAuthorization: Bearer the-key\r\n"));
}

TEST(authorization, a_refusal_says_what_to_send) {
    const response r = unauthorized();
    EXPECT_EQ(r.status, 401);
    EXPECT_NE(r.body.find("Authorization: Bearer"), std::string::npos);
    EXPECT_NE(head_of(r, after_response::keep_alive).find("WWW-Authenticate: Bearer\r\n"), std::string::npos);
}

}  // namespace
}  // namespace pulsewire::shell
