// GET /sse and POST /sse (protocol 8.1 to 8.3).

#include "server/testing/running_server.hpp"

#include <gtest/gtest.h>

namespace pulsewire {
namespace {

using namespace testing;

class stream_client {
public:
    explicit stream_client(std::uint16_t port, int receive_buffer = 0)
        : port_(port), connection_(port, receive_buffer) {
        connection_.send("GET /sse HTTP/1.1\r\nHost: localhost\r\n\r\n");
        head = read_answer(connection_);
        const std::string first = connection_.read_until("\n\n");
        const std::size_t at = first.find("\"connection\":\"") + 14;
        secret = first.substr(at, first.find('"', at) - at);
    }

    http_answer head;
    std::string secret;

    client& connection() { return connection_; }
    http_answer post(const std::string& lines) const {
        return ask(port_, "POST", "/sse", lines, "Pulsewire-Connection: " + secret + "\r\n");
    }
    void connect(const std::string& session) const {
        EXPECT_EQ(post(R"({"op":"connect","id":1,"version":1,"session":")" + session + "\"}").status, 204);
    }

private:
    std::uint16_t port_;
    client connection_;
};

TEST(stream, starts_with_its_name_and_the_fields_of_the_protocol) {
    running_server server;
    stream_client s(server.port());
    EXPECT_EQ(s.head.status, 200);
    EXPECT_EQ(s.head.field("Content-Type"), "text/event-stream");
    EXPECT_EQ(s.head.field("Cache-Control"), "no-store");
    EXPECT_EQ(s.head.field("X-Accel-Buffering"), "no");
    EXPECT_GE(s.secret.size(), 22u);
}

// With four loops most posts arrive on another shard than their stream.
TEST(stream, takes_its_commands_on_any_shard) {
    running_server server(test_config(4));
    for (int i = 0; i < 12; ++i) {
        stream_client s(server.port());
        s.connect("session-" + std::to_string(i));
        EXPECT_NE(s.connection().read_until("\n\n").find("\"welcome\""), std::string::npos);
        EXPECT_EQ(
            s.post("{\"op\":\"subscribe\",\"id\":2,\"channel\":\"c\"}\n{\"op\":\"ping\",\"id\":3}").status,
            204
        );
        s.connection().read_until("\"op\":\"pong\",\"id\":3");
    }
}

// Protocol 8.1: the data of an event is exactly a WebSocket message.
TEST(stream, each_frame_is_a_data_line) {
    running_server server;
    stream_client s(server.port());
    s.connect("abcdefgh");
    s.connection().read_until("\n\n");
    EXPECT_EQ(s.post("{\"op\":\"ping\",\"id\":2}\n{\"op\":\"ping\",\"id\":3}").status, 204);
    EXPECT_EQ(
        s.connection().read_until("\n\n"),
        "data: {\"op\":\"pong\",\"id\":2}\ndata: {\"op\":\"pong\",\"id\":3}\n\n"
    );
}

TEST(stream, a_post_to_a_stream_that_is_gone_is_404) {
    running_server server(test_config(4));
    std::string secret;
    {
        stream_client s(server.port());
        secret = s.secret;
        s.connection().reset();
    }
    server.wait_for("pulsewire_connections{transport=\"sse\"}", 0);
    const auto post_to = [&](const std::string& name) {
        return ask(server.port(), "POST", "/sse", "{}", "Pulsewire-Connection: " + name + "\r\n").status;
    };
    EXPECT_EQ(post_to(secret), 404);
    const std::string others[] = {"x", "99." + secret.substr(2), "3.", "-1.a", "65536.a",
                                  "1", std::string(5'000, '1')};
    for (const std::string& other : others) EXPECT_EQ(post_to(other), 404) << other;
}

TEST(stream, a_post_without_the_name_of_a_stream_is_400) {
    running_server server;
    EXPECT_EQ(ask(server.port(), "POST", "/sse", "{}").status, 400);
}

TEST(stream, a_body_that_is_too_large_is_413_and_the_stream_lives_on) {
    running_server server;
    stream_client s(server.port());
    s.connect("abcdefgh");
    s.connection().read_until("\n\n");
    EXPECT_EQ(s.post(std::string(87'385, ' ')).status, 413);
    EXPECT_EQ(s.post("{\"op\":\"ping\",\"id\":9}").status, 204);
    s.connection().read_until("\"pong\",\"id\":9");
}

TEST(stream, other_methods_are_refused) {
    running_server server;
    const auto a = ask(server.port(), "DELETE", "/sse");
    EXPECT_EQ(a.status, 405);
    EXPECT_EQ(a.field("Allow"), "GET, POST, OPTIONS");
}

TEST(stream, a_slow_reader_is_told_and_closed) {
    config c = test_config();
    running_server server(c);
    stream_client s(server.port(), 4'096);
    s.connect("slow-session");
    ASSERT_EQ(s.post("{\"op\":\"subscribe\",\"id\":2,\"channel\":\"busy\"}").status, 204);
    s.connection().read_until("\"subscribed\"");
    const std::string body = R"({"payload":")" + std::string(50'000, 'x') + "\"}";
    int sent = 0;
    while (server.metric("pulsewire_slow_consumers_total") == 0 && ++sent < 1'000)
        ASSERT_EQ(ask(server.port(), "POST", "/api/channels/busy/messages", body).status, 200);
    EXPECT_NE(s.connection().read_to_end().find("\"code\":4000"), std::string::npos);
}

// A phone that lost its network without a word leaves a stream on which nothing comes back (P7).
TEST(stream, ends_when_its_client_promised_to_answer_pings_and_does_not) {
    config c = test_config(1);
    c.bounds.ping_ms = 300;
    c.bounds.pong_ms = 300;
    running_server server(c);
    stream_client ada(server.port());
    ada.post(R"({"op":"connect","id":1,"version":1,"session":"session-of-ada","pongs":true})");
    const std::string rest = ada.connection().read_to_end();
    EXPECT_NE(rest.find(R"({"op":"ping"})"), std::string::npos);
    EXPECT_NE(rest.find("\"code\":4001"), std::string::npos) << rest;
}

}  // namespace
}  // namespace pulsewire
