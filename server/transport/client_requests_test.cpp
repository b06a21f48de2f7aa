// Requests between the clients of a channel (protocol 4.18), over WebSocket and SSE, on any loops of a real
// server.

#include "common/session/public_name.hpp"
#include "server/testing/running_server.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pulsewire {
namespace {

using namespace testing;
using ::testing::HasSubstr;

config allowed() {
    config c = test_config(3);
    c.default_namespace.client_requests = true;
    return c;
}

const std::string subscribe = R"({"op":"subscribe","id":2,"channel":"device:1","payload":{}})";

websocket_client welcome(std::uint16_t port, const std::string& session) {
    websocket_client ws(port, "/ws", "pulsewire.v1");
    ws.send_text(R"({"op":"connect","id":1,"version":1,"session":")" + session + "\"}\n" + subscribe);
    ws.line_with(R"("subscribed")");
    return ws;
}

std::string ask(int id, const std::string& to) {
    return R"({"op":"request","id":)" + std::to_string(id) + R"(,"channel":"device:1","to":")" +
           hub::public_name(to) + R"(","type":"led.set","timeout_ms":60000,"payload":{"on":true}})";
}

std::string number_in(const std::string& line) {
    const std::size_t begin = line.find(R"("request":)") + 10;
    return line.substr(begin, line.find(',', begin) - begin);
}

TEST(client_requests, go_from_any_loop_to_any_other) {
    running_server server(allowed());
    auto device = welcome(server.port(), "the-device");
    for (int i = 0; i < 12; ++i) {
        auto page = welcome(server.port(), "page-" + std::to_string(1'000 + i));
        page.send_text(ask(7, "the-device"));
        const std::string asked = device.line_with(R"("op":"request")");
        EXPECT_THAT(asked, HasSubstr(R"("from":")" + hub::public_name("page-" + std::to_string(1'000 + i))));
        EXPECT_THAT(asked, HasSubstr(R"("payload":{"on":true})"));
        device.send_text(R"({"op":"respond","request":)" + number_in(asked) + R"(,"payload":{"was":1}})");
        EXPECT_EQ(page.line_with(R"("id":7)"), R"({"op":"response","id":7,"payload":{"was":1}})");
    }
}

TEST(client_requests, are_answered_over_server_sent_events) {
    running_server server(allowed());
    client device(server.port());
    device.send("GET /sse HTTP/1.1\r\nHost: localhost\r\n\r\n");
    const std::string head = device.read_until("\"}\n");
    const std::size_t at = head.find("\"connection\":\"") + 14;
    const std::string secret = head.substr(at, head.find('"', at) - at);
    const auto post = [&](const std::string& lines) {
        client c(server.port());
        c.send(
            "POST /sse HTTP/1.1\r\nHost: localhost\r\nPulsewire-Connection: " + secret +
            "\r\nContent-Length: " + std::to_string(lines.size()) + "\r\n\r\n" + lines
        );
        EXPECT_EQ(read_answer(c).status, 204);
    };
    post(
        R"({"op":"connect","id":1,"version":1,"session":"the-device"})"
        "\n" +
        subscribe
    );
    device.read_until("\"subscribed\"");
    auto page = welcome(server.port(), "the-page");
    page.send_text(ask(7, "the-device"));
    device.read_until(R"("op":"request","request":1,)");
    post(R"({"op":"respond","request":1,"code":"rejected","message":"not now"})");
    EXPECT_EQ(page.line_with(R"("id":7)"), R"({"op":"error","id":7,"code":"rejected","message":"not now"})");
}

TEST(client_requests, end_with_the_client_that_was_asked) {
    running_server server(allowed());
    auto page = welcome(server.port(), "the-page");
    {
        auto device = welcome(server.port(), "the-device");
        page.send_text(ask(7, "the-device"));
        device.line_with(R"("op":"request")");
    }
    EXPECT_THAT(page.line_with(R"("id":7)"), HasSubstr(R"("code":"disconnected")"));
}

TEST(client_requests, are_forbidden_unless_the_namespace_allows_them) {
    running_server server(test_config(1));
    auto page = welcome(server.port(), "the-page");
    page.send_text(ask(7, "the-page"));
    EXPECT_THAT(page.line_with(R"("id":7)"), HasSubstr(R"("code":"forbidden")"));
}

}  // namespace
}  // namespace pulsewire
