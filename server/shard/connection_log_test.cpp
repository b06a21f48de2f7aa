// At debug the log tells of each connection when it opens, upgrades, is welcome and ends, by whom and with
// which code; at info, what was refused and which setting would change that.

#include "server/testing/recorded_log.hpp"
#include "server/testing/running_server.hpp"
#include "server/testing/token.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <string>

namespace pulsewire {
namespace {

using namespace testing;
using websocket::opcode;

config logging(const std::string& level = "debug") {
    config c = test_config(1);
    c.log_level = level;
    return c;
}

TEST(connection_log, a_connection_is_followed_from_its_opening_to_its_end) {
    recorded_log log;
    running_server server(logging());
    auto c = connected(server.port());
    EXPECT_NE(log.line_with("opened from 127.0.0.1"), "");
    const std::string upgraded = log.line_with("upgraded to websocket");
    const std::string name = upgraded.substr(0, upgraded.find(" upgraded"));
    EXPECT_EQ(log.line_with("is welcome"), name + " is welcome");
    c.connection().send(std::string(websocket::close_frame(1001, "bye", {1, 2, 3, 4}).view()));
    const std::string ended = log.line_with("ended by the peer");
    EXPECT_TRUE(ended.starts_with(name + " (websocket) ended by the peer with code 1001 (going_away) after "))
        << ended;
    EXPECT_TRUE(ended.ends_with(" out; 127.0.0.1")) << ended;
}

TEST(connection_log, an_end_by_the_server_has_its_code) {
    recorded_log log;
    running_server server(logging());
    auto c = connected(server.port());
    c.send_text("\xff");
    EXPECT_EQ(c.closed().code, 1007);
    c.connection().send(std::string(websocket::close_frame(1007, {}, {1, 2, 3, 4}).view()));
    EXPECT_NE(log.line_with("ended by the server with code 1007"), "");
    EXPECT_EQ(log.count_with("ended by the peer"), 0u);
}

TEST(connection_log, an_end_by_the_hub_has_its_code) {
    recorded_log log;
    config c = logging();
    c.bounds.connect_timeout_ms = 50;
    running_server server(c);
    websocket_client silent(server.port(), "/ws", "pulsewire.v1");
    EXPECT_EQ(silent.closed().code, 4002);
    silent.connection().send(std::string(websocket::close_frame(4002, {}, {1, 2, 3, 4}).view()));
    EXPECT_NE(log.line_with("ended by the hub with code 4002"), "");
}

TEST(connection_log, an_event_stream_that_the_hub_ends_says_so) {
    recorded_log log;
    running_server server(logging());
    client stream(server.port());
    stream.send("GET /sse HTTP/1.1\r\nHost: localhost\r\n\r\n");
    stream.read_until("\"stream\"");
    server.stop();
    EXPECT_NE(log.line_with("(sse) ended by the hub with code 1012"), "");
}

TEST(connection_log, silence_is_an_end_by_a_timeout) {
    recorded_log log;
    config c = logging();
    c.shell.http_head_timeout_ms = 50;
    running_server server(c);
    client silent(server.port());
    EXPECT_EQ(silent.read_to_end(), "");
    EXPECT_NE(log.line_with("(http) ended by a timeout"), "");
}

TEST(connection_log, a_peer_that_goes_away_is_told_from_one_that_was_sent_away) {
    recorded_log log;
    running_server server(logging());
    { client c(server.port()); }
    EXPECT_NE(log.line_with("(http) ended by the peer"), "");
}

TEST(connection_log, a_refused_origin_names_the_setting) {
    recorded_log log;
    running_server server(logging("info"));
    client c(server.port());
    c.send("GET /ws HTTP/1.1\r\nHost: localhost\r\nOrigin: https://stranger.example\r\n\r\n");
    EXPECT_EQ(read_answer(c).status, 403);
    const std::string line = log.line_with("refused");
    EXPECT_NE(line.find("127.0.0.1"), std::string::npos) << line;
    EXPECT_NE(line.find("https://stranger.example"), std::string::npos) << line;
    EXPECT_NE(line.find("allowed_origins"), std::string::npos) << line;
    EXPECT_EQ(log.count_with("opened"), 0u);
}

TEST(connection_log, a_refused_origin_is_a_warning_once_with_what_to_set) {
    recorded_log log;
    running_server server(logging("warning"));
    const auto visit = [&](const std::string& origin) {
        EXPECT_EQ(ask(server.port(), "GET", "/ws", {}, "Origin: " + origin + "\r\n").status, 403);
    };
    for (int i = 0; i < 5; ++i) visit("https://shop.example");
    visit("http://laptop:5173");
    EXPECT_EQ(log.count_with("--allow-origin https://shop.example, "), 1u);
    EXPECT_EQ(log.count_with("--allow-origin http://laptop:5173, "), 1u);
    for (int i = 0; i < 300; ++i) visit("https://invented" + std::to_string(i) + ".example");
    visit("https://no origin");
    EXPECT_LE(log.count_with("--allow-origin"), 100u);
}

TEST(connection_log, a_proxy_that_drops_the_port_is_named_instead_of_the_setting) {
    recorded_log log;
    config c = logging("warning");
    c.allowed_hosts = {"rt.example.com"};
    running_server server(c);
    client asking(server.port());
    asking.send("GET /ws HTTP/1.1\r\nHost: rt.example.com\r\nOrigin: https://rt.example.com:8443\r\n\r\n");
    const http_answer refused = read_answer(asking);
    EXPECT_EQ(refused.status, 403);
    EXPECT_NE(refused.body.find("$http_host"), std::string::npos) << refused.body;
    EXPECT_EQ(log.count_with("$http_host"), 1u);
    EXPECT_EQ(log.count_with("--allow-origin"), 0u);
}

TEST(connection_log, a_refused_key_names_the_setting_and_not_the_key) {
    recorded_log log;
    config c = logging("info");
    c.api_key = "the-key";
    running_server server(c);
    client asking(server.port());
    asking.send(
        "GET /api/channels/a/messages HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer wrong-key\r\n\r\n"
    );
    EXPECT_EQ(read_answer(asking).status, 401);
    const std::string line = log.line_with("refused");
    EXPECT_NE(line.find("/api/channels/a/messages"), std::string::npos) << line;
    EXPECT_NE(line.find("api_key"), std::string::npos) << line;
    EXPECT_EQ(line.find("-key"), std::string::npos) << line;
}

TEST(connection_log, a_refused_request_names_the_setting) {
    recorded_log log;
    running_server server(logging("info"));
    client c(server.port());
    c.send("POST /sse HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999\r\n\r\n");
    EXPECT_EQ(read_answer(c).status, 413);
    EXPECT_NE(log.line_with("refused").find("message_bytes_max"), std::string::npos);
}

nlohmann::json json_line_with(recorded_log& log, const std::string& text) {
    return nlohmann::json::parse(log.line_with(text));
}

config logging_json() {
    config c = logging("info");
    c.log_format = "json";
    return c;
}

TEST(connection_log, in_json_each_end_is_a_line_at_info_with_its_facts) {
    recorded_log log;
    running_server server(asking(logging_json()));
    websocket_client c(server.port(), "/ws", "pulsewire.v1");
    c.send_text(
        R"({"op":"connect","id":1,"version":1,"session":"session-of-a-test","token":")" +
        token_for("ann", R"({"a":["subscribe"]})") + "\"}"
    );
    c.line_with("welcome");
    c.connection().send(std::string(websocket::close_frame(1001, "bye", {1, 2, 3, 4}).view()));
    const auto line = json_line_with(log, "connection_ended");
    EXPECT_EQ(line["level"], "info");
    EXPECT_EQ(line["transport"], "websocket");
    EXPECT_EQ(line["ended_by"], "peer");
    EXPECT_EQ(line["code"], 1001);
    EXPECT_EQ(line["why"], "going_away");
    EXPECT_EQ(line["address"], "127.0.0.1");
    EXPECT_EQ(line["user"], "ann");
    EXPECT_GE(line["seconds"].get<double>(), 0);
    EXPECT_GT(line["bytes_in"].get<int>(), 300);
    EXPECT_GT(line["bytes_out"].get<int>(), 200);
}

TEST(connection_log, behind_a_proxy_a_stream_ends_with_the_address_of_its_client) {
    recorded_log log;
    config c = logging_json();
    c.trusted_proxies = {"127.0.0.1"};
    running_server server(c);
    {
        websocket_client ws(server.port(), "/ws/plain/a", "", 0, "X-Forwarded-For: 203.0.113.9\r\n");
        EXPECT_EQ(ws.handshake.status, 101);
    }
    EXPECT_EQ(json_line_with(log, "plain_websocket")["address"], "203.0.113.9");
}

TEST(connection_log, hostile_names_forge_no_line_of_json) {
    recorded_log log;
    running_server server(asking(logging_json()));
    const std::string hostile = R"(x\",\"level\":\"error\u000a{\u2028\u0007)";
    websocket_client c(server.port(), "/ws", "pulsewire.v1");
    c.send_text(
        R"({"op":"connect","id":1,"version":1,"session":"session-of-a-test","token":")" +
        token_for(hostile, R"({"a":["subscribe"]})") + "\"}"
    );
    c.line_with("welcome");
    EXPECT_EQ(
        ask(server.port(), "GET", "/ws?\"}{\\", {}, "Origin: https://x\",\"a\":\"\t\xff\r\n").status, 403
    );
    c.connection().send(std::string(websocket::close_frame(1000, {}, {1, 2, 3, 4}).view()));
    const auto refused = json_line_with(log, "\"refused\"");
    EXPECT_EQ(refused["level"], "info");
    EXPECT_EQ(refused["reason"], "origin");
    EXPECT_EQ(refused["setting"], "allowed_origins");
    const std::string ended = log.line_with("\"websocket\"");
    for (const char byte : ended) EXPECT_TRUE(byte >= 0x20 && byte < 0x7f) << ended;
    EXPECT_EQ(nlohmann::json::parse(ended)["user"], "x=22=2C=22level=22=3A=22error=0A=7B=E2=80=A8=07");
}

}  // namespace
}  // namespace pulsewire
