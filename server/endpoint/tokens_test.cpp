// Who somebody is and what they may do, through every door of a real server (protocol 4.21 to 4.24, 11.6).

#include "server/testing/recorded_log.hpp"
#include "server/testing/running_server.hpp"
#include "server/testing/temporary_folder.hpp"
#include "server/testing/token.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <memory>
#include <string>

namespace pulsewire {
namespace {

using namespace testing;

constexpr const char* everything =
    R"({"room:**":["subscribe","history","publish","presence","show","request","respond"]})";

std::string bearer(const std::string& token) {
    return "Authorization: Bearer " + token + "\r\n";
}

config with_key(config c) {
    c.api_key = "an-api-key-of-the-test";
    return c;
}

websocket_client opened(std::uint16_t port, const std::string& token) {
    websocket_client c(port, "/ws", "pulsewire.v1");
    c.send_text(
        R"({"op":"connect","id":1,"version":1,"session":"session-of-a-test")" +
        (token.empty() ? "" : R"(,"token":")" + token + "\"") + "}"
    );
    return c;
}

http_answer publish(running_server& server, const std::string& channel, const std::string& fields) {
    return ask(server.port(), "POST", "/api/channels/" + channel + "/messages", R"({"payload":1})", fields);
}

TEST(tokens, let_their_user_in_over_websocket) {
    running_server server(asking(test_config()));
    auto c = opened(server.port(), token_for("auth0|5", everything));
    EXPECT_NE(c.line_with("welcome").find(R"("user":"auth0=7C5","expires_in_ms":3)"), std::string::npos);
    c.send_text(R"({"op":"subscribe","id":2,"channel":"room:1"})"
                "\n"
                R"({"op":"publish","id":3,"channel":"room:1","type":"t","payload":1})");
    EXPECT_NE(c.line_with("\"payload\"").find(R"("user":"auth0=7C5")"), std::string::npos);
    c.send_text(R"({"op":"publish","id":4,"channel":"other","type":"t","payload":1})");
    EXPECT_NE(c.line_with("\"id\":4").find("forbidden"), std::string::npos);
}

TEST(tokens, that_are_wrong_or_missing_let_nobody_in) {
    running_server server(asking(test_config()));
    std::string forged = token_for("ann", everything);
    forged.back() = forged.back() == 'A' ? 'B' : 'A';
    for (const std::string& token :
         {std::string(), std::string("x.y.z"), forged, token_for("ann", R"({"room:**":["fly"]})"),
          token_for("ann", everything, 30 * 24 * 3'600)})
        EXPECT_EQ(opened(server.port(), token).closed().code, 4502) << token;
    EXPECT_EQ(opened(server.port(), token_for("ann", everything, -60)).closed().code, 4004)
        << "a new one may be good";
    EXPECT_EQ(server.metric("pulsewire_refused_total{reason=\"token\"}"), 5);
}

TEST(tokens, that_are_refused_are_in_the_log_with_the_reason_and_never_themselves) {
    recorded_log log;
    config c = asking(test_config());
    c.log_level = "debug";
    c.audit_log = "-";
    running_server server(c);
    const std::string token = token_for("ann", R"({"room:**":["fly"]})");
    EXPECT_EQ(opened(server.port(), token).closed().code, 4502);
    const std::string line = log.line_with("a token proves nothing");
    EXPECT_NE(line.find("\"fly\" is no operation"), std::string::npos) << line;
    EXPECT_NE(line.find("refused for 127.0.0.1"), std::string::npos) << line;
    EXPECT_NE(log.line_with(R"("event":"refused","reason":"token")"), "");
    opened(server.port(), token_for("ann", everything)).line_with("welcome");
    EXPECT_NE(log.line_with("shows a token of ann"), "");
    EXPECT_EQ(log.count_with(token.substr(token.rfind('.') + 1)), 0u);
}

TEST(tokens, that_permit_too_little_are_in_the_log_a_few_times_a_second) {
    recorded_log log;
    config c = asking(test_config(1));
    c.log_level = "info";
    c.audit_log = "-";
    running_server server(c);
    auto ann = opened(server.port(), token_for("ann", R"({"room:**":["subscribe"]})"));
    for (int i = 2; i < 60; ++i)
        ann.send_text(
            R"({"op":"publish","id":)" + std::to_string(i) +
            R"(,"channel":"room:1","type":"t","payload":"of the message"})"
        );
    ann.line_with("\"id\":59");
    const std::string line = log.line_with("forbidden for ann");
    EXPECT_NE(line.find("at 127.0.0.1: publish in room:1: this needs the permission"), std::string::npos)
        << line;
    EXPECT_NE(
        log.line_with(R"("event":"forbidden","address":"127.0.0.1","user":"ann","operation":"publish",)"
                      R"("channel":"room:1")"),
        ""
    );
    EXPECT_LT(log.count_with("forbidden for ann"), 30u) << "though all took a second or two";
    EXPECT_EQ(log.count_with("of the message"), 0u);
}

TEST(tokens, of_a_handshake_count_for_its_connection) {
    running_server server(asking(test_config()));
    websocket_client c(server.port(), "/ws", "pulsewire.v1", 0, bearer(token_for("ann", everything)));
    c.send_text(R"({"op":"connect","version":1,"session":"session-of-a-test"})");
    EXPECT_NE(c.line_with("welcome").find(R"("user":"ann")"), std::string::npos);
    websocket_client refused(server.port(), "/ws", "pulsewire.v1", 0, bearer("x.y.z"));
    EXPECT_EQ(refused.handshake.status, 401);
    EXPECT_EQ(refused.handshake.field("WWW-Authenticate"), "Bearer error=\"invalid_token\"");
}

TEST(tokens, are_had_from_whom_the_metadata_names) {
    config c = asking(test_config());
    c.base_path = "/realtime";
    running_server server(c);
    const auto refused = ask(server.port(), "GET", "/realtime/events?channel=a");
    EXPECT_EQ(refused.status, 401);
    EXPECT_EQ(
        refused.field("WWW-Authenticate"),
        "Bearer resource_metadata=\"http://localhost/.well-known/oauth-protected-resource/realtime\""
    );
    const auto metadata = ask(server.port(), "GET", "/.well-known/oauth-protected-resource/realtime");
    EXPECT_EQ(metadata.status, 200);
    EXPECT_EQ(nlohmann::json::parse(metadata.body).at("resource"), "http://localhost/realtime");
    EXPECT_EQ(metadata.field("Access-Control-Allow-Origin"), "*");
    running_server open(test_config());
    EXPECT_EQ(ask(open.port(), "GET", "/.well-known/oauth-protected-resource").status, 404);
}

TEST(tokens, travel_in_the_post_of_a_stream) {
    running_server server(asking(test_config()));
    client stream(server.port());
    stream.send("GET /sse HTTP/1.1\r\nHost: localhost\r\n\r\n");
    const std::string first = stream.read_until("\"}\n\n");
    const std::size_t at = first.find("\"connection\":\"") + 14;
    const std::string name = first.substr(at, first.find('"', at) - at);
    const auto posted =
        ask(server.port(), "POST", "/sse",
            R"({"op":"connect","version":1,"session":"session-of-a-test","token":")" +
                token_for("ann", everything) + "\"}",
            "Pulsewire-Connection: " + name + "\r\n");
    EXPECT_EQ(posted.status, 204) << posted.body;
    EXPECT_NE(stream.read_until("\n\n").find(R"("user":"ann")"), std::string::npos);
}

TEST(tokens, open_a_plain_event_stream) {
    running_server server(asking(test_config()));
    EXPECT_EQ(ask(server.port(), "GET", "/events?channel=room:1").status, 401);
    client c(server.port());
    c.send(
        "GET /events?channel=room:1 HTTP/1.1\r\nHost: localhost\r\n" + bearer(token_for("ann", everything)) +
        "\r\n"
    );
    EXPECT_NE(c.read_until("\r\n\r\n").find(" 200 "), std::string::npos);
    ASSERT_EQ(publish(server, "room:1", bearer(token_for("bob", everything))).status, 200);
    EXPECT_NE(c.read_until("\"payload\":1").find(R"("user":"bob")"), std::string::npos);
    client other(server.port());
    other.send(
        "GET /events?channel=else HTTP/1.1\r\nHost: localhost\r\n" + bearer(token_for("ann", everything)) +
        "\r\n"
    );
    EXPECT_EQ(other.read_until("\r\n\r\n").substr(9, 3), "403") << "which EventSource takes as final";
}

TEST(tokens, say_which_channels_a_plain_event_stream_has) {
    running_server server(asking(test_config()));
    const std::string own = token_for(
        "ann", R"({"room:*":["subscribe","publish"]})", 3'600, R"(,"subscribe":["room:{user}","room:1"])"
    );
    client c(server.port());
    c.send("GET /events HTTP/1.1\r\nHost: localhost\r\n" + bearer(own) + "\r\n");
    const std::string opened = c.read_until("\"offset\":0}]}");
    EXPECT_NE(opened.find(R"("channel":"room:1")"), std::string::npos) << opened;
    EXPECT_NE(opened.find(R"("channel":"room:ann")"), std::string::npos) << opened;
    EXPECT_EQ(ask(server.port(), "GET", "/events", {}, bearer(token_for("ann", everything))).status, 400)
        << "names none";
}

TEST(tokens, in_a_cookie_count_for_pages_of_this_server_alone) {
    running_server server(asking(test_config()));
    const std::string cookie = "Cookie: __Host-pulsewire=" + token_for("ann", everything) + "\r\n";
    const auto status = [&](const std::string& fields) {
        return ask(server.port(), "GET", "/api/channels/room:1/messages", {}, fields).status;
    };
    EXPECT_EQ(status(cookie), 401) << "by whom?";
    EXPECT_EQ(status(cookie + "Sec-Fetch-Site: same-origin\r\n"), 200);
    EXPECT_EQ(status(cookie + "Origin: http://localhost\r\n"), 200);
    EXPECT_EQ(status(cookie + "Origin: https://evil.example\r\n"), 403);
    EXPECT_EQ(status(cookie + "Sec-Fetch-Site: cross-site\r\n"), 403);
}

TEST(tokens, in_a_cookie_do_not_count_for_pages_that_are_merely_let_in) {
    config c = asking(test_config());
    c.allowed_origins = {"https://partner.example"};
    const std::string cookie = "Cookie: __Host-pulsewire=" + token_for("ann", everything) +
                               "\r\nOrigin: https://partner.example\r\n";
    running_server without(c);
    EXPECT_EQ(ask(without.port(), "GET", "/api/channels/room:1/messages", {}, cookie).status, 401);
    c.allow_credentials = true;
    running_server with(c);
    EXPECT_EQ(ask(with.port(), "GET", "/api/channels/room:1/messages", {}, cookie).status, 200);
}

TEST(tokens, in_an_address_count_only_where_the_operator_says_so) {
    config c = asking(test_config());
    const std::string target = "/api/channels/room:1/messages?token=" + token_for("ann", everything);
    running_server without(c);
    EXPECT_EQ(ask(without.port(), "GET", target).status, 401);
    c.token_in_query = true;
    running_server with(c);
    EXPECT_EQ(ask(with.port(), "GET", target).status, 200);
}

TEST(tokens, of_a_subprotocol_open_a_plain_websocket) {
    running_server server(asking(test_config()));
    const std::string token = token_for("ann", everything);
    EXPECT_EQ(websocket_client(server.port(), "/ws/plain/room:1", "").handshake.status, 401);
    websocket_client c(server.port(), "/ws/plain/room:1", "pulsewire.plain, pulsewire.token." + token);
    EXPECT_EQ(c.handshake.field("Sec-WebSocket-Protocol"), "pulsewire.plain");
    ASSERT_EQ(publish(server, "room:1", bearer(token)).status, 200);
    EXPECT_EQ(c.next_line(), "1");
    websocket_client other(server.port(), "/ws/plain/else", "pulsewire.token." + token);
    EXPECT_NE(other.next_line().find("error forbidden"), std::string::npos);
    EXPECT_EQ(other.closed().code, 4502);
}

TEST(tokens, permit_what_they_say_over_the_http_api_and_no_more) {
    running_server server(with_key(asking(test_config())));
    const std::string reader = bearer(token_for("ann", R"({"room:1":["history"]})"));
    EXPECT_EQ(publish(server, "room:1", reader).status, 403);
    EXPECT_EQ(ask(server.port(), "GET", "/api/channels/room:1/messages", {}, reader).status, 200);
    EXPECT_EQ(ask(server.port(), "GET", "/api/channels/room:2/messages", {}, reader).status, 403);
    EXPECT_EQ(ask(server.port(), "GET", "/api/channels/room:1/presence", {}, reader).status, 403);
    EXPECT_EQ(ask(server.port(), "GET", "/api/channels/room:1/messages").status, 401);
    EXPECT_EQ(ask(server.port(), "GET", "/metrics", {}, reader).status, 401);
    EXPECT_EQ(ask(server.port(), "POST", "/api/revocations", R"({"all":true})", reader).status, 401);
}

TEST(tokens, are_not_needed_by_the_bearer_of_an_api_key) {
    running_server server(with_key(asking(test_config())));
    const std::string key = bearer("an-api-key-of-the-test");
    const auto published =
        ask(server.port(), "POST", "/api/channels/room:1/messages", R"({"payload":1,"user":"ann"})", key);
    EXPECT_EQ(published.status, 200) << published.body;
    const auto history = ask(server.port(), "GET", "/api/channels/room:1/messages", {}, key);
    EXPECT_NE(history.body.find(R"("user":"ann")"), std::string::npos) << history.body;
    websocket_client c(server.port(), "/ws", "pulsewire.v1", 0, key);
    c.send_text(R"({"op":"connect","version":1,"session":"session-of-a-test"})"
                "\n"
                R"({"op":"subscribe","id":2,"channel":"anything"})");
    EXPECT_EQ(c.line_with("welcome").find("\"user\""), std::string::npos);
    c.line_with("\"subscribed\"");
}

TEST(tokens, of_users_cannot_say_that_somebody_else_published) {
    running_server server(asking(test_config()));
    const std::string ann = bearer(token_for("ann", everything));
    ask(server.port(), "POST", "/api/channels/room:1/messages", R"({"payload":1,"user":"bob"})", ann);
    const auto history = ask(server.port(), "GET", "/api/channels/room:1/messages", {}, ann);
    EXPECT_NE(history.body.find(R"("user":"ann")"), std::string::npos) << history.body;
    EXPECT_EQ(history.body.find("bob"), std::string::npos);
}

TEST(tokens, are_not_needed_where_a_namespace_lets_everybody_and_the_server_somebody_unknown) {
    config c = asking(test_config());
    namespace_options open;
    open.allow = {operation::subscribe, operations(), operations()};
    open.allow_is_set = true;
    c.namespaces["open"] = open;
    c.anonymous = true;
    running_server server(c);
    EXPECT_EQ(publish(server, "open:1", "").status, 403) << "the API is not open to somebody unknown";
    EXPECT_EQ(ask(server.port(), "GET", "/api/channels/open:1/messages").status, 403);
    auto somebody = opened(server.port(), "");
    somebody.send_text(R"({"op":"subscribe","id":2,"channel":"open:1"})");
    somebody.line_with("\"subscribed\"");
    somebody.send_text(R"({"op":"subscribe","id":3,"channel":"room:1"})");
    EXPECT_NE(somebody.line_with("\"id\":3").find("forbidden"), std::string::npos);
}

TEST(revocations, end_connections_at_once_and_the_token_for_good) {
    const temporary_folder folder;
    config c = with_key(asking(test_config()));
    c.data = folder.path();
    const std::string token = token_for("ann", everything);
    {
        running_server server(c);
        auto ann = opened(server.port(), token);
        auto bob = opened(server.port(), token_for("bob", everything));
        ann.line_with("welcome");
        bob.line_with("welcome");
        const auto revoked =
            ask(server.port(), "POST", "/api/revocations", R"({"user":"ann"})",
                bearer("an-api-key-of-the-test"));
        EXPECT_EQ(revoked.status, 204) << revoked.body;
        EXPECT_EQ(ann.closed().code, 4004);
        bob.send_text(R"({"op":"ping","id":2})");
        bob.line_with("pong");
        EXPECT_EQ(opened(server.port(), token).closed().code, 4004);
    }
    running_server again(c);
    EXPECT_EQ(opened(again.port(), token).closed().code, 4004) << "after a restart, too";
    auto later = opened(again.port(), token_for("bob", everything));
    later.line_with("welcome");
}

// A pipe without a reader is the slowest disk there is, and one that fails when it is read.
TEST(revocations, that_wait_for_the_disk_keep_nobody_else_waiting) {
    const temporary_folder folder;
    config c = with_key(asking(test_config(1)));
    c.data = folder.path();
    running_server server(c);
    const std::string disk = folder.path() + "/revocations.new";
    ASSERT_EQ(::mkfifo(disk.c_str(), 0600), 0);
    // Also when the test fails, the server must not wait for ever.
    const auto in_the_end = std::unique_ptr<const std::string, void (*)(const std::string*)>(
        &disk, [](const std::string* path) { ::close(::open(path->c_str(), O_RDONLY | O_NONBLOCK)); }
    );
    client waiting(server.port());
    waiting.send(
        "POST /api/revocations HTTP/1.1\r\nHost: localhost\r\nContent-Length: 14\r\n" +
        bearer("an-api-key-of-the-test") + "\r\n{\"user\":\"ann\"}"
    );
    for (int i = 0; i < 20; ++i) EXPECT_EQ(ask(server.port(), "GET", "/healthz").status, 200);
    opened(server.port(), token_for("ann", everything)).line_with("welcome");
    EXPECT_FALSE(waiting.has_more()) << "nothing is answered before it is kept";
    const int reader = ::open(disk.c_str(), O_RDONLY | O_CLOEXEC);
    ASSERT_GE(reader, 0);
    EXPECT_EQ(read_answer(waiting).status, 503);
    ::close(reader);
    opened(server.port(), token_for("ann", everything)).line_with("welcome");
}

TEST(keys_of_issuers, are_read_again_and_bad_ones_change_nothing) {
    const temporary_folder folder;
    const std::string path = folder.path() + "/secrets";
    std::ofstream(path) << std::string(40, 'x') << "\n";
    recorded_log log;
    config c = asking(test_config());
    c.log_level = "info";
    c.issuers[0].secret.clear();
    c.issuers[0].secret_file = path;
    running_server server(c);
    const auto status = [&] {
        return ask(server.port(), "GET", "/api/channels/room:1/messages", {},
                   bearer(token_for("ann", everything)))
            .status;
    };
    EXPECT_EQ(status(), 401);
    std::ofstream(path) << std::string(40, 'x') << "\n" << secret_of_issuer << "\n";
    server->reload();
    ASSERT_NE(log.line_with("tokens are verified with the keys of the issuers' files"), "");
    EXPECT_EQ(status(), 200);
    std::ofstream(path) << "short\n";
    server->reload();
    ASSERT_NE(log.line_with("The issuers' keys that were read before stay in use"), "");
    EXPECT_EQ(status(), 200);
}

TEST(revocations, say_what_is_wrong_with_them) {
    running_server server(with_key(asking(test_config())));
    for (const char* wrong :
         {"", "[]", "{}", R"({"user":"ann","all":true})", R"({"user":""})", R"({"usr":"ann"})",
          R"({"all":false})", R"({"all":true,"within_ms":-1})"}) {
        const auto a =
            ask(server.port(), "POST", "/api/revocations", wrong, bearer("an-api-key-of-the-test"));
        EXPECT_EQ(a.status, 400) << wrong;
    }
    EXPECT_EQ(ask(server.port(), "POST", "/api/revocations", R"({"all":true})").status, 401);
}

TEST(revocations, with_notice_ask_for_a_new_token) {
    running_server server(with_key(asking(test_config())));
    auto ann = opened(server.port(), token_for("ann", everything));
    ann.line_with("welcome");
    ask(server.port(), "POST", "/api/revocations", R"({"all":true,"within_ms":60000})",
        bearer("an-api-key-of-the-test"));
    EXPECT_NE(ann.line_with("refresh_wanted").find("\"within_ms\":60000"), std::string::npos);
}

TEST(users, can_be_disconnected_and_may_come_back) {
    running_server server(with_key(asking(test_config())));
    const std::string token = token_for("auth0|5", everything);
    auto ann = opened(server.port(), token);
    ann.line_with("welcome");
    const auto gone =
        ask(server.port(), "POST", "/api/users/auth0%7C5/disconnect", {}, bearer("an-api-key-of-the-test"));
    EXPECT_EQ(gone.status, 204) << gone.body;
    EXPECT_EQ(ann.closed().code, 4502);
    opened(server.port(), token).line_with("welcome");
}

TEST(users, can_be_given_a_channel_and_lose_it) {  // 11.11
    running_server server(with_key(asking(test_config())));
    const std::string key = bearer("an-api-key-of-the-test");
    auto ann = opened(server.port(), token_for("auth0|5", everything));
    ann.line_with("welcome");
    const auto given =
        ask(server.port(), "POST", "/api/users/auth0%7C5/subscribe", R"({"channel":"room:1"})", key);
    EXPECT_EQ(given.status, 204) << given.body;
    EXPECT_EQ(ann.line_with("subscribe"), R"({"op":"subscribe","channel":"room:1"})");
    ann.send_text(R"({"op":"subscribe","id":2,"channel":"room:1"})");
    ann.line_with("subscribed");
    EXPECT_EQ(
        ask(server.port(), "POST", "/api/users/auth0%7C5/unsubscribe", R"({"channel":"room:1"})", key).status,
        204
    );
    EXPECT_EQ(
        ann.line_with("unsubscribed"), R"({"op":"unsubscribed","channel":"room:1","reason":"forbidden"})"
    );
}

TEST(users, are_given_nothing_by_what_is_no_channel_or_by_somebody_without_the_key) {
    running_server server(with_key(asking(test_config())));
    const std::string key = bearer("an-api-key-of-the-test");
    for (const char* body :
         {"", "{}", "[]", R"({"channel":7})", R"({"channel":"a b"})", R"({"channel":"a","x":1})"})
        EXPECT_EQ(ask(server.port(), "POST", "/api/users/ann/subscribe", body, key).status, 400) << body;
    EXPECT_EQ(ask(server.port(), "POST", "/api/users//subscribe", R"({"channel":"a"})", key).status, 400);
    EXPECT_EQ(ask(server.port(), "POST", "/api/users/ann/promote", R"({"channel":"a"})", key).status, 404);
    EXPECT_EQ(ask(server.port(), "GET", "/api/users/ann/subscribe", {}, key).status, 405);
    EXPECT_EQ(
        ask(server.port(), "POST", "/api/users/ann/subscribe", R"({"channel":"room:1"})",
            bearer(token_for("ann", everything)))
            .status,
        401
    );
}

}  // namespace
}  // namespace pulsewire
