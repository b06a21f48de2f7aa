// The HTTP API over real sockets (protocol section 11).

#include "common/session/public_name.hpp"
#include "server/testing/running_server.hpp"

#include <gtest/gtest.h>

#include <tuple>

namespace pulsewire {
namespace {

using namespace testing;

http_answer publish(running_server& server, const std::string& body, const std::string& fields = {}) {
    return ask(server.port(), "POST", "/api/channels/chat:42/messages", body, fields);
}

// Protocol 11.1.
TEST(api, a_publish_is_answered_with_its_position) {
    running_server server;
    const auto first = publish(server, R"({"type":"chat.message","payload":{"text":"hi"}})");
    EXPECT_EQ(first.status, 200);
    EXPECT_EQ(first.field("Content-Type"), "application/json");
    EXPECT_TRUE(first.body.starts_with(R"({"channel":"chat:42","epoch":")")) << first.body;
    EXPECT_TRUE(first.body.ends_with(",\"offset\":1}\n")) << first.body;
    EXPECT_TRUE(publish(server, "{\n \"payload\" : [\n1 ]\r\n}").body.ends_with(",\"offset\":2}\n"));
}

TEST(api, a_key_is_good_once) {
    running_server server;
    EXPECT_TRUE(publish(server, R"({"payload":1,"key":"k"})").body.ends_with(",\"offset\":1}\n"));
    EXPECT_TRUE(publish(server, R"({"payload":1,"key":"k"})").body.ends_with(",\"offset\":1}\n"));
    EXPECT_TRUE(publish(server, R"({"payload":2,"key":"l"})").body.ends_with(",\"offset\":2}\n"));
}

TEST(api, a_transient_message_has_no_position) {
    running_server server;
    auto c = subscribed(server.port(), "chat:42");
    EXPECT_EQ(
        publish(server, R"({"type":"typing","payload":{},"transient":true})").body,
        "{\"channel\":\"chat:42\"}\n"
    );
    EXPECT_EQ(c.line_with("typing").find("offset"), std::string::npos);
}

TEST(api, bad_bodies_are_refused_with_their_code) {
    running_server server;
    const auto expect = [&](const std::string& body, int status, const std::string& code) {
        const auto a = publish(server, body);
        EXPECT_EQ(a.status, status) << body;
        EXPECT_NE(a.body.find("{\"error\":{\"code\":\"" + code + "\""), std::string::npos) << a.body;
    };
    expect("", 400, "malformed_json");
    expect("{", 400, "malformed_json");
    expect("{\"payload\":\"\xff\"}", 400, "malformed_json");
    expect("{\"payload\":" + std::string(40, '[') + std::string(40, ']') + "}", 400, "malformed_json");
    expect("{}", 400, "invalid_frame");
    expect(R"({"payload":1,"type":"no spaces"})", 400, "invalid_type");
    expect(R"({"payload":1,"type":"pulsewire.x"})", 400, "invalid_type");
    expect(R"({"payload":1,"key":7})", 400, "invalid_frame");
    expect("{\"payload\":\"" + std::string(70'000, 'x') + "\"}", 413, "too_large");
}

TEST(api, channels_in_paths_are_checked) {
    running_server server;
    const std::string bads[] = {"", "a%20b", "%ff", "%", std::string(300, 'a')};
    for (const std::string& bad : bads) {
        EXPECT_EQ(
            ask(server.port(), "POST", "/api/channels/" + bad + "/messages", R"({"payload":1})").status, 400
        ) << bad;
        EXPECT_EQ(ask(server.port(), "GET", "/api/channels/" + bad + "/presence").status, 400) << bad;
    }
    EXPECT_EQ(ask(server.port(), "GET", "/api/channels/a/b/messages").status, 200);
}

// Protocol 11.2.
TEST(api, history_is_read_in_both_directions) {
    running_server server;
    for (int i = 1; i <= 5; ++i) publish(server, "{\"payload\":" + std::to_string(i) + "}");
    const auto forwards = ask(server.port(), "GET", "/api/channels/chat:42/messages?limit=2&offset=1");
    EXPECT_EQ(forwards.status, 200);
    EXPECT_NE(
        forwards.body.find(
            R"("offset":5,"more":true,"messages":[{"type":"message","channel":"chat:42","offset":2,)"
        ),
        std::string::npos
    ) << forwards.body;
    const auto backwards =
        ask(server.port(), "GET", "/api/channels/chat:42/messages?limit=50&backwards=true");
    EXPECT_NE(
        backwards.body.find(R"("more":false,"messages":[{"type":"message","channel":"chat:42","offset":5,)"),
        std::string::npos
    );
    for (const std::string query :
         {"limit=0", "limit=x", "limit=-1", "limit=301", "offset=x", "backwards=maybe", "limit=%zz"})
        EXPECT_EQ(ask(server.port(), "GET", "/api/channels/chat:42/messages?" + query).status, 400) << query;
}

// Protocol 11.3.
TEST(api, presence_lists_who_shows_themselves) {
    running_server server;
    auto c = connected(server.port(), "ada-session");
    c.send_text(R"({"op":"subscribe","id":2,"channel":"chat:42","payload":{"name":"Ada"}})");
    c.line_with("\"subscribed\"");
    EXPECT_EQ(
        ask(server.port(), "GET", "/api/channels/chat:42/presence").body,
        "{\"channel\":\"chat:42\",\"members\":[{\"session\":\"" + hub::public_name("ada-session") +
            "\",\"info\":{\"name\":\"Ada\"}}]}\n"
    );
}

TEST(api, requests_of_one_connection_are_answered_one_by_one) {
    running_server server(test_config(4));
    client c(server.port());
    std::string all;
    for (int i = 0; i < 40; ++i) {
        const std::string body = "{\"payload\":" + std::to_string(i) + "}";
        all += "POST /api/channels/c" + std::to_string(i % 7) +
               "/messages HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + std::to_string(body.size()) +
               "\r\n\r\n" + body;
    }
    c.send(all);
    for (int i = 0; i < 40; ++i)
        EXPECT_NE(
            read_answer(c).body.find("\"channel\":\"c" + std::to_string(i % 7) + "\""), std::string::npos
        );
}

// Protocol 11.4.
TEST(api, wrong_methods_and_unknown_paths_are_named) {
    running_server server;
    const auto put =
        ask(server.port(), "PUT", "/api/channels/a/messages", "{}", "Content-Type: application/json\r\n");
    EXPECT_EQ(put.status, 405);
    EXPECT_EQ(put.field("Allow"), "GET, POST, OPTIONS");
    EXPECT_EQ(ask(server.port(), "POST", "/api/channels/a/presence", "{}").field("Allow"), "GET, OPTIONS");
    for (const std::string path :
         {"/api/", "/api/channels/a", "/api/channels/a/other", "/api/x", "/nowhere", "/ws/plain", "/sse/x"}) {
        const auto a = ask(server.port(), "GET", path);
        EXPECT_EQ(a.status, 404) << path;
        EXPECT_NE(a.body.find("\"error\""), std::string::npos);
    }
    EXPECT_EQ(ask(server.port(), "DELETE", "/healthz").status, 405);
    EXPECT_EQ(ask(server.port(), "POST", "/metrics").status, 405);
}

// Protocol 11.5.
TEST(api, a_key_is_required_where_one_is_configured) {
    config c = test_config();
    c.api_key = "secret-key";
    running_server server(c);
    const std::string body = R"({"payload":1})";
    const auto refused = publish(server, body);
    EXPECT_EQ(refused.status, 401);
    EXPECT_EQ(refused.field("WWW-Authenticate"), "Bearer");
    for (const std::string wrong :
         {"Bearer secret-ke", "Bearer secret-key2", "Bearer ", "Bearer", "secret-key", "Basic secret-key"})
        EXPECT_EQ(publish(server, body, "Authorization: " + wrong + "\r\n").status, 401) << wrong;
    const std::string right = "Authorization: Bearer secret-key\r\n";
    EXPECT_EQ(publish(server, body, right + right).status, 401);
    EXPECT_EQ(publish(server, body, right).status, 200);
    EXPECT_EQ(publish(server, body, "Authorization: bearer secret-key\r\n").status, 200);
    for (const std::string path : {"/api/channels/a/messages", "/api/channels/a/presence"}) {
        EXPECT_EQ(ask(server.port(), "GET", path).status, 401);
        EXPECT_EQ(ask(server.port(), "GET", path, {}, right).status, 200);
    }
    EXPECT_EQ(ask(server.port(), "GET", "/events?channel=a&channel=").status, 400) << "clients need no key";
}

TEST(api, pages_of_other_origins_are_refused) {
    running_server server;
    for (const std::string target :
         {"/ws", "/ws/plain/a", "/sse", "/events?channel=a", "/api/channels/a/messages"}) {
        const auto a = ask(server.port(), "GET", target, {}, "Origin: https://evil.example\r\n");
        EXPECT_EQ(a.status, 403) << target;
        EXPECT_EQ(a.head.find("evil"), std::string::npos);
        EXPECT_EQ(ask(server.port(), "OPTIONS", target, {}, "Origin: https://evil.example\r\n").status, 403);
    }
}

TEST(api, pages_of_other_ports_of_this_machine_are_let_in_until_an_origin_or_a_key_is_named) {
    const std::string page = "Origin: http://localhost:5173\r\n";
    const auto status = [&](const config& c) {
        running_server server(c);
        return publish(server, R"({"payload":1})", page).status;
    };
    config c = test_config();
    EXPECT_EQ(status(c), 200);
    c.allowed_origins = {"https://app.example"};
    EXPECT_EQ(status(c), 403);
    c.allowed_origins.clear();
    c.api_key = "the-key-of-sixteen";
    EXPECT_EQ(status(c), 403);
}

TEST(api, listed_origins_get_their_cors_fields) {
    config c = test_config();
    c.allowed_origins = {"https://app.example"};
    running_server server(c);
    const std::string origin = "Origin: https://app.example\r\n";
    const auto preflight =
        ask(server.port(), "OPTIONS", "/api/channels/a/messages", {},
            origin + "Access-Control-Request-Method: POST\r\n");
    EXPECT_EQ(preflight.status, 204);
    EXPECT_EQ(preflight.field("Access-Control-Allow-Origin"), "https://app.example");
    EXPECT_EQ(preflight.field("Access-Control-Allow-Methods"), "GET, POST, OPTIONS");
    EXPECT_NE(
        preflight.field("Access-Control-Allow-Headers").find("Pulsewire-Connection"), std::string::npos
    );
    const auto answer = publish(server, R"({"payload":1})", origin);
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.field("Access-Control-Allow-Origin"), "https://app.example");
    EXPECT_EQ(answer.field("Vary"), "Origin");
    EXPECT_EQ(publish(server, "{", origin).field("Access-Control-Allow-Origin"), "https://app.example")
        << "errors too";
    client stream(server.port());
    stream.send("GET /events?channel=a HTTP/1.1\r\nHost: localhost\r\n" + origin + "\r\n");
    EXPECT_EQ(read_answer(stream).field("Access-Control-Allow-Origin"), "https://app.example");
}

TEST(api, credentials_go_to_listed_pages_where_the_operator_says_so) {
    config c = test_config();
    c.allowed_origins = {"https://*.example.com"};
    const std::string origin = "Origin: https://app.example.com\r\n";
    {
        running_server without(c);
        EXPECT_EQ(publish(without, R"({"payload":1})", origin).field("Access-Control-Allow-Credentials"), "");
    }
    c.allow_credentials = true;
    running_server server(c);
    for (const std::string target : {"/events?channel=a", "/sse"}) {
        client stream(server.port());
        stream.send("GET " + target + " HTTP/1.1\r\nHost: localhost\r\nCookie: a=b\r\n" + origin + "\r\n");
        const auto opened = read_answer(stream);
        EXPECT_EQ(opened.field("Access-Control-Allow-Credentials"), "true") << target;
        EXPECT_EQ(opened.field("Access-Control-Allow-Origin"), "https://app.example.com") << target;
    }
    EXPECT_EQ(
        ask(server.port(), "OPTIONS", "/sse", {}, origin).field("Access-Control-Allow-Credentials"), "true"
    );
    const auto refused = ask(server.port(), "GET", "/sse", {}, "Origin: https://example.com\r\n");
    EXPECT_EQ(refused.status, 403);
    EXPECT_EQ(refused.field("Access-Control-Allow-Credentials"), "");
}

// A page that may not come can tell its people why.
TEST(api, a_page_can_read_why_it_is_refused_and_whether_the_server_is_there) {
    running_server server;
    for (const auto& [target, fields, status] : {
             std::tuple<std::string, std::string, int>{"/sse", "Origin: https://shop.example\r\n", 403},
             {"/ws", "Origin: https://shop.example\r\n", 403},
             {"http://shop.example/ws", "Origin: https://shop.example\r\n", 421},
             {"/healthz", "Origin: https://shop.example\r\n", 200},
         }) {
        const auto a = ask(server.port(), "GET", target, {}, fields);
        EXPECT_EQ(a.status, status) << target;
        EXPECT_EQ(a.field("Access-Control-Allow-Origin"), "*") << target;
    }
}

TEST(api, preflights_allow_what_frameworks_add_to_every_request) {
    config c = test_config();
    c.allowed_origins = {"https://app.example"};
    running_server server(c);
    const auto a = ask(server.port(), "OPTIONS", "/events?channel=a", {}, "Origin: https://app.example\r\n");
    for (const char* field : {"X-Requested-With", "Traceparent", "Cache-Control", "Last-Event-ID"})
        EXPECT_NE(a.field("Access-Control-Allow-Headers").find(field), std::string::npos) << field;
}

}  // namespace
}  // namespace pulsewire
