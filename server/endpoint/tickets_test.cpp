// A page signs in by a ticket and is known by a cookie from then on (protocol 11.8).

#include "server/testing/recorded_log.hpp"
#include "server/testing/running_server.hpp"
#include "server/testing/temporary_folder.hpp"
#include "server/testing/token.hpp"

#include <gtest/gtest.h>

namespace pulsewire {
namespace {

using namespace testing;

constexpr const char* room = R"({"room:**":["subscribe","history","publish"]})";
const std::string key = "Authorization: Bearer an-api-key-of-the-test\r\n";
const std::string own_page = "Origin: http://localhost\r\n";

config settings() {
    config c = asking(test_config());
    c.api_key = "an-api-key-of-the-test";
    return c;
}

std::string bearer(const std::string& token) {
    return "Authorization: Bearer " + token + "\r\n";
}

http_answer ticket_answer(running_server& server, const std::string& body, const std::string& fields) {
    return ask(server.port(), "POST", "/api/tickets", body, fields);
}

std::string ticket_of(const http_answer& answer) {
    EXPECT_EQ(answer.status, 200) << answer.body;
    EXPECT_EQ(answer.field("Cache-Control"), "no-store");
    const auto read = nlohmann::json::parse(answer.body);
    EXPECT_EQ(read.at("expires_in_ms"), 30'000);
    return read.at("ticket");
}

http_answer redeemed(
    running_server& server, const std::string& ticket, const std::string& fields = own_page
) {
    return ask(server.port(), "POST", "/api/session", R"({"ticket":")" + ticket + "\"}", fields);
}

// The field Cookie of a page after the answer.
std::string cookie_after(const http_answer& answer) {
    EXPECT_EQ(answer.status, 204) << answer.body;
    const std::string set = answer.field("Set-Cookie");
    return "Cookie: " + set.substr(0, set.find(';')) + "\r\n";
}

int read_status(running_server& server, const std::string& channel, const std::string& cookie) {
    return ask(server.port(), "GET", "/api/channels/" + channel + "/messages", {}, cookie + own_page).status;
}

TEST(tickets_of_a_server, sign_in_a_user_that_the_backend_names) {
    running_server server(settings());
    const auto answer = ticket_answer(server, R"({"user":"auth0|5","allow":)" + std::string(room) + "}", key);
    const auto session = redeemed(server, ticket_of(answer));
    const std::string set = session.field("Set-Cookie");
    EXPECT_EQ(set.find("__Host-pulsewire=ey"), 0u) << set;
    EXPECT_NE(set.find("; Path=/; Max-Age=3"), std::string::npos) << set;
    EXPECT_NE(set.find("; Secure; HttpOnly; SameSite=Strict"), std::string::npos) << set;
    const std::string cookie = cookie_after(session);
    EXPECT_EQ(read_status(server, "room:1", cookie), 200);
    EXPECT_EQ(read_status(server, "else", cookie), 403);

    websocket_client plain(server.port(), "/ws/plain/room:1", "", 0, cookie + own_page);
    EXPECT_EQ(plain.handshake.status, 101);
    client stream(server.port());
    stream.send(
        "GET /events?channel=room:1 HTTP/1.1\r\nHost: localhost\r\nSec-Fetch-Site: same-origin\r\n" + cookie +
        "\r\n"
    );
    EXPECT_NE(stream.read_until("pulsewire.open").find(" 200 "), std::string::npos);
    plain.send_text("hello");
    EXPECT_NE(stream.read_until("\"hello\"").find(R"("user":"auth0=7C5")"), std::string::npos);
}

TEST(tickets_of_a_server, sign_in_the_bearer_of_a_token_for_as_long_as_it_counts) {
    running_server server(settings());
    const std::string token = token_for("ann", room, 90);
    const auto session = redeemed(server, ticket_of(ticket_answer(server, {}, bearer(token))));
    EXPECT_NE(session.field("Set-Cookie").find("; Max-Age=8"), std::string::npos)
        << session.field("Set-Cookie");
    EXPECT_EQ(read_status(server, "room:1", cookie_after(session)), 200);
    EXPECT_EQ(ticket_answer(server, R"({"user":"bob"})", bearer(token)).status, 400) << "ann is no backend";
    EXPECT_EQ(ticket_answer(server, R"({"allow":{"**":["publish"]}})", bearer(token)).status, 400);
}

TEST(tickets_of_a_server, are_for_nobody_without_a_key_or_a_token) {
    config c = settings();
    c.anonymous = true;
    running_server server(c);
    EXPECT_EQ(ticket_answer(server, R"({"user":"ann"})", {}).status, 401);
    EXPECT_EQ(ticket_answer(server, R"({"user":"ann"})", bearer("x.y.z")).status, 401);
    const std::string cookie = "Cookie: __Host-pulsewire=" + token_for("ann", room) + "\r\n" + own_page;
    EXPECT_EQ(ticket_answer(server, {}, cookie).status, 401) << "a session cannot make the next one";
    running_server open(test_config());
    EXPECT_EQ(ticket_answer(open, R"({"user":"ann"})", {}).status, 404) << "there are no users";
}

TEST(tickets_of_a_server, are_used_once_and_by_a_page_of_the_server_alone) {
    config c = settings();
    c.allowed_origins = {"https://partner.example"};
    running_server server(c);
    const std::string ticket = ticket_of(ticket_answer(server, R"({"user":"ann"})", key));
    EXPECT_EQ(redeemed(server, ticket, {}).status, 403) << "no page";
    EXPECT_EQ(redeemed(server, ticket, "Origin: https://evil.example\r\n").status, 403);
    EXPECT_EQ(redeemed(server, ticket, "Origin: https://partner.example\r\n").status, 403);
    EXPECT_EQ(redeemed(server, ticket).status, 204);
    const auto again = redeemed(server, ticket);
    EXPECT_EQ(again.status, 401);
    EXPECT_EQ(again.field("Set-Cookie"), "");
    EXPECT_EQ(redeemed(server, "never-was").status, 401);
    for (const char* wrong : {"", "[]", R"({"ticket":1})", R"({"ticket":"x","user":"ann"})"})
        EXPECT_EQ(ask(server.port(), "POST", "/api/session", wrong, own_page).status, 400) << wrong;
    c.allow_credentials = true;
    running_server trusting(c);
    const auto from_partner = redeemed(
        trusting, ticket_of(ticket_answer(trusting, R"({"user":"ann"})", key)),
        "Origin: https://partner.example\r\n"
    );
    EXPECT_EQ(from_partner.status, 204);
    EXPECT_EQ(from_partner.field("Access-Control-Allow-Credentials"), "true");
}

TEST(tickets_of_a_server, say_what_is_wrong_with_them) {
    running_server server(settings());
    for (const char* wrong :
         {"", "[]", "{}", R"({"user":""})", R"({"usr":"ann"})", R"({"user":"ann","expires_in_s":0})",
          R"({"user":"ann","allow":{"room:**":["fly"]}})", R"({"user":"ann","allow":{"ro*m":["publish"]}})",
          R"({"user":"ann","info":"Ann"})", R"({"user":"ann","expires_in_s":99999999})"})
        EXPECT_EQ(ticket_answer(server, wrong, key).status, 400) << wrong;
    const auto large = ticket_answer(
        server,
        R"({"user":"ann","subscribe":[")" + std::string(200, 'a') + ":" + "1\"" +
            [] {
                std::string more;
                for (int i = 0; i < 20; ++i) more += ",\"" + std::string(200, 'b') + "\"";
                return more;
            }() +
            "]}",
        key
    );
    EXPECT_EQ(large.status, 413) << "no browser keeps such a cookie";
}

TEST(tickets_of_a_server, of_one_user_are_bounded) {
    running_server server(settings());
    for (int i = 0; i < 16; ++i) EXPECT_EQ(ticket_answer(server, R"({"user":"ann"})", key).status, 200);
    const auto refused = ticket_answer(server, R"({"user":"ann"})", key);
    EXPECT_EQ(refused.status, 429);
    EXPECT_EQ(refused.field("Retry-After"), "1");
    EXPECT_EQ(ticket_answer(server, R"({"user":"bob"})", key).status, 200);
}

TEST(tickets_of_a_server, and_their_cookies_are_worth_nothing_after_a_revocation) {
    running_server server(settings());
    const std::string body = R"({"user":"ann","allow":)" + std::string(room) + "}";
    const std::string cookie = cookie_after(redeemed(server, ticket_of(ticket_answer(server, body, key))));
    const std::string ticket = ticket_of(ticket_answer(server, body, key));
    ASSERT_EQ(ask(server.port(), "POST", "/api/revocations", R"({"user":"ann"})", key).status, 204);
    EXPECT_EQ(read_status(server, "room:1", cookie), 401);
    EXPECT_EQ(redeemed(server, ticket).status, 401);
}

TEST(tickets_of_a_server, make_cookies_that_outlive_a_restart_with_a_data_folder) {
    const temporary_folder folder;
    config c = settings();
    c.data = folder.path();
    std::string cookie;
    const std::string body = R"({"user":"ann","allow":)" + std::string(room) + "}";
    {
        running_server server(c);
        cookie = cookie_after(redeemed(server, ticket_of(ticket_answer(server, body, key))));
    }
    running_server again(c);
    EXPECT_EQ(read_status(again, "room:1", cookie), 200);
    running_server other(settings());
    EXPECT_EQ(read_status(other, "room:1", cookie), 401) << "another server did not sign it";
}

TEST(tickets_of_a_server, end_with_a_cookie_that_is_taken_back) {
    running_server server(settings());
    const auto end = [&](const std::string& fields) {
        return ask(server.port(), "POST", "/api/session/end", {}, fields);
    };
    const auto signed_out = end(own_page);
    EXPECT_EQ(signed_out.status, 204);
    EXPECT_EQ(
        signed_out.field("Set-Cookie"),
        "__Host-pulsewire=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Strict"
    );
    EXPECT_EQ(end("Origin: https://evil.example\r\n").status, 403);
    EXPECT_EQ(end({}).status, 403);
}

TEST(tickets_of_a_server, and_tokens_are_in_no_line_of_the_log) {
    recorded_log log;
    const temporary_folder folder;
    config c = settings();
    c.log_level = "debug";
    c.audit_log = "-";
    running_server server(c);
    const std::string ticket = ticket_of(ticket_answer(server, R"({"user":"ann"})", key));
    const std::string cookie = cookie_after(redeemed(server, ticket));
    EXPECT_EQ(redeemed(server, ticket).status, 401);
    EXPECT_NE(log.line_with("a ticket that was used"), "");
    EXPECT_EQ(read_status(server, "else", cookie), 403);
    server.stop();
    EXPECT_EQ(log.count_with(ticket), 0u);
    EXPECT_EQ(log.count_with(cookie.substr(cookie.find("ey"), 20)), 0u);
}

}  // namespace
}  // namespace pulsewire
