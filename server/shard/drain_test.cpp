// The end of a server: everybody is told to come back, and it does not take longer than it may.

#include "server/testing/running_server.hpp"

#include <gtest/gtest.h>

namespace pulsewire {
namespace {

using namespace testing;

TEST(drain, every_kind_of_connection_is_told_to_come_back) {
    config c = test_config(3);
    c.shell.drain_spread_ms = 1'000;
    running_server server(c);
    auto ws = subscribed(server.port(), "a");
    websocket_client plain(server.port(), "/ws/plain/a", "");
    client events(server.port());
    events.send("GET /events?channel=a HTTP/1.1\r\nHost: localhost\r\n\r\n");
    events.read_until("pulsewire.open");
    client stream(server.port());
    stream.send("GET /sse HTTP/1.1\r\nHost: localhost\r\n\r\n");
    stream.read_until("\"stream\"");
    client idle(server.port());
    idle.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
    read_answer(idle);
    client silent(server.port());
    server.wait_for("pulsewire_connections{transport=\"http\"}", 3);

    server->stop();
    const std::string line = ws.line_with("\"close\"");
    EXPECT_NE(line.find(R"("code":1012,"reconnect":true,"after_ms":)"), std::string::npos) << line;
    const int after_ms = std::stoi(line.substr(line.find("after_ms\":") + 10));
    EXPECT_GE(after_ms, 1);
    EXPECT_LE(after_ms, 1'000);
    EXPECT_EQ(ws.closed().code, 1012);
    EXPECT_EQ(plain.next().code, 1012);
    EXPECT_NE(events.read_to_end().find("event: pulsewire.close"), std::string::npos);
    EXPECT_NE(stream.read_to_end().find("\"code\":1012"), std::string::npos);
    EXPECT_EQ(idle.read_to_end(), "");
    EXPECT_EQ(silent.read_to_end(), "");
    // The clients answer their close frames, as RFC 6455 asks.
    ws.connection().send(std::string(websocket::close_frame(1012, {}, {1, 2, 3, 4}).view()));
    plain.connection().send(std::string(websocket::close_frame(1012, {}, {1, 2, 3, 4}).view()));
    EXPECT_EQ(ws.connection().read_to_end(), "");
    EXPECT_EQ(server.stop(), 0);
}

TEST(drain, a_server_that_hands_over_serves_until_the_client_has_left) {
    config c = test_config(1);
    c.shell.drain_spread_ms = 1'000;
    c.shell.drain_handover = true;
    running_server server(c);
    auto ws = subscribed(server.port(), "a");
    websocket_client plain(server.port(), "/ws/plain/a", "");
    server->stop();
    const std::string line = ws.line_with("\"drain\"");
    EXPECT_NE(line.find(R"({"op":"drain","after_ms":)"), std::string::npos) << line;
    EXPECT_EQ(plain.next().code, 1012) << "cannot be told, so it is closed at once";
    EXPECT_THROW(client(server.port()), std::runtime_error) << "new ones go to another server";
    ws.send_text(R"({"op":"publish","id":3,"channel":"a","type":"t","payload":1})");
    ws.line_with("\"payload\":1");
    ws.line_with("\"published\"");
    EXPECT_EQ(ws.closed().code, 1012) << "at the end of the window";
    ws.connection().send(std::string(websocket::close_frame(1012, {}, {1, 2, 3, 4}).view()));
    plain.connection().send(std::string(websocket::close_frame(1012, {}, {1, 2, 3, 4}).view()));
    EXPECT_EQ(server.stop(), 0);
}

TEST(drain, new_connections_are_not_accepted) {
    running_server server(test_config(1));
    auto stays = connected(server.port());
    server->stop();
    stays.line_with("\"close\"");
    EXPECT_THROW(client(server.port()), std::runtime_error);
}

TEST(drain, healthz_says_so_while_the_balancer_turns_away) {
    config c = test_config(1);
    c.shell.drain_delay_ms = 60'000;
    c.shell.shutdown_timeout_ms = 1'000;
    running_server server(c);
    auto goes_on = subscribed(server.port(), "a");
    server->stop();
    int status = 0;
    for (int i = 0; i < 10'000 && status != 503; ++i) status = ask(server.port(), "GET", "/healthz").status;
    EXPECT_EQ(status, 503);
    EXPECT_EQ(ask(server.port(), "POST", "/api/channels/a/messages", R"({"payload":1})").status, 200);
    goes_on.line_with("\"payload\":1");
    EXPECT_EQ(server.stop(), 0);
}

TEST(drain, it_ends_in_time_whatever_is_open) {
    config c = test_config();
    c.shell.shutdown_timeout_ms = 300;
    c.shell.close_timeout_ms = 60'000;
    running_server server(c);
    auto stubborn = connected(server.port());  // never answers the close frame
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_EQ(server.stop(), 0);
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));
}

TEST(drain, without_connections_it_ends_at_once) {
    running_server server;
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_EQ(server.stop(), 0);
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(2));
}

}  // namespace
}  // namespace pulsewire
