#include "server/http/token.hpp"

#include <gtest/gtest.h>

namespace pulsewire::shell {
namespace {

using text = std::optional<std::string>;

std::unique_ptr<request> get(const std::string& fields, const std::string& target = "/events") {
    auto read = read_request_head("GET " + target + " HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n", {});
    if (!read) return nullptr;
    (*read)->enter("");
    return std::move(*read);
}

TEST(token, comes_with_the_request_in_the_order_of_trust) {
    const std::string bearer = "Authorization: Bearer b\r\n", cookie = "Cookie: x=1; __Host-pulsewire=c\r\n",
                      protocol = "Sec-WebSocket-Protocol: pulsewire.plain, pulsewire.token.p\r\n";
    EXPECT_EQ(token_of(*get(bearer + cookie + protocol, "/events?token=q"), true, true), text("b"));
    EXPECT_EQ(token_of(*get(cookie + protocol, "/events?token=q"), true, true), text("p"));
    EXPECT_EQ(token_of(*get(cookie, "/events?token=q"), true, true), text("c"));
    EXPECT_EQ(token_of(*get("", "/events?token=q"), true, true), text("q"));
    EXPECT_EQ(token_of(*get(""), true, true), std::nullopt);
}

TEST(token, is_taken_from_a_cookie_or_the_query_only_where_that_is_safe) {
    EXPECT_EQ(token_of(*get("Cookie: __Host-pulsewire=c\r\n"), false, true), std::nullopt);
    EXPECT_EQ(token_of(*get("", "/events?token=q"), true, false), std::nullopt);
}

TEST(token, is_not_guessed_where_two_cookies_or_keys_disagree) {
    EXPECT_EQ(
        token_of(*get("Cookie: __Host-pulsewire=a; __Host-pulsewire=b\r\n"), true, false), std::nullopt
    );
    EXPECT_EQ(
        token_of(*get("Cookie: __Host-pulsewire=a\r\nCookie: __Host-pulsewire=b\r\n"), true, false),
        std::nullopt
    );
    EXPECT_EQ(
        token_of(*get("Authorization: Bearer a\r\nAuthorization: Bearer b\r\n"), true, false), std::nullopt
    );
    EXPECT_EQ(token_of(*get("Cookie: __host-pulsewire=a; pulsewire=b\r\n"), true, false), std::nullopt);
}

TEST(token, of_a_subprotocol_needs_an_answer_that_browsers_take) {
    EXPECT_EQ(
        answered_subprotocol(*get("Sec-WebSocket-Protocol: pulsewire.token.p\r\n")), "pulsewire.token.p"
    );
    EXPECT_EQ(
        answered_subprotocol(*get("Sec-WebSocket-Protocol: pulsewire.plain, pulsewire.token.p\r\n")),
        "pulsewire.plain"
    );
    EXPECT_EQ(answered_subprotocol(*get("Sec-WebSocket-Protocol: other\r\n")), "");
}

}  // namespace
}  // namespace pulsewire::shell
