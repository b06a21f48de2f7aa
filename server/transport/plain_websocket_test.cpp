// GET /ws/plain/<channel> (protocol section 10).

#include "server/testing/running_server.hpp"

#include <gtest/gtest.h>

namespace pulsewire {
namespace {

using namespace testing;
using websocket::event_kind;

std::string text_from(websocket_client& c) {
    const auto r = c.next();
    EXPECT_EQ(r.kind, event_kind::text);
    return r.data;
}

// Until the server knows the subscription, a first text of its own would be lost for the others.
websocket_client plain(running_server& server, const std::string& channel) {
    const double before = server.metric("pulsewire_subscriptions");
    websocket_client c(server.port(), "/ws/plain/" + channel, "");
    server.wait_for("pulsewire_subscriptions", before + 1);
    return c;
}

TEST(plain_websocket, what_one_says_the_others_hear) {
    running_server server;
    auto ada = plain(server, "room");
    auto bob = plain(server, "room");
    ada.send_text("hello \"Bob\",\n<b>ü</b> \xf0\x9f\x98\x80");
    EXPECT_EQ(text_from(bob), "hello \"Bob\",\n<b>ü</b> \xf0\x9f\x98\x80");
    bob.send_text("hello Ada");
    EXPECT_EQ(text_from(ada), "hello Ada") << "and not one's own words";
}

TEST(plain_websocket, other_payloads_come_as_their_json) {
    running_server server;
    auto c = plain(server, "room");
    for (const std::string payload : {"{\"a\":[1, 2]}", "12", "null", "\"\"", "\"\\u00fc\\n\""})
        ASSERT_EQ(
            ask(server.port(), "POST", "/api/channels/room/messages", "{\"payload\":" + payload + "}").status,
            200
        );
    EXPECT_EQ(text_from(c), "{\"a\":[1, 2]}");
    EXPECT_EQ(text_from(c), "12");
    EXPECT_EQ(text_from(c), "null");
    EXPECT_EQ(text_from(c), "");
    EXPECT_EQ(text_from(c), "ü\n");
}

TEST(plain_websocket, the_sdk_hears_texts_as_messages) {
    running_server server;
    auto sdk = subscribed(server.port(), "room");
    auto c = plain(server, "room");
    c.send_text("hi");
    EXPECT_NE(sdk.line_with("\"hi\"").find(R"("type":"message")"), std::string::npos);
}

TEST(plain_websocket, the_channel_is_percent_decoded_and_checked) {
    running_server server;
    auto c = plain(server, "a%2Fb%3Ac/d");
    ASSERT_EQ(
        ask(server.port(), "POST", "/api/channels/a%2Fb:c%2fd/messages", R"({"payload":"x"})").status, 200
    );
    EXPECT_EQ(text_from(c), "x");
    for (const std::string bad : {"", "a%20b", "a%", "a%zz", "%00", "a%0D%0AX:y"})
        EXPECT_EQ(websocket_client(server.port(), "/ws/plain/" + bad, "").handshake.status, 400) << bad;
}

TEST(plain_websocket, errors_arrive_as_text) {
    config settings = test_config();
    settings.namespaces["closed"].client_publish = false;
    running_server server(settings);
    auto c = plain(server, "closed:room");
    c.send_text("hi");
    EXPECT_TRUE(text_from(c).starts_with("error forbidden: "));
    c.send_text(std::string(100'000, 'x'));
    EXPECT_TRUE(text_from(c).starts_with("error too_large: "));
}

TEST(plain_websocket, the_rate_of_messages_is_limited) {
    config settings = test_config();
    settings.bounds.commands_per_second = 5;
    running_server server(settings);
    auto c = plain(server, "room");
    for (int i = 0; i < 20; ++i) c.send_text("x");
    EXPECT_TRUE(text_from(c).starts_with("error rate_limited: "));
}

TEST(plain_websocket, a_text_that_grows_beyond_a_message_as_json_is_too_large) {
    running_server server;
    websocket_client c(server.port(), "/ws/plain/a", "");
    websocket_client other(server.port(), "/ws/plain/a", "");
    c.send_text(std::string(60'000, '\0'));
    EXPECT_TRUE(c.next().data.starts_with("error too_large"));
    c.send_text(std::string(65'536, 'a'));
    EXPECT_EQ(other.next().data.size(), 65'536u);
}

TEST(plain_websocket, a_silent_client_is_pinged_by_control_frames) {
    config settings = test_config();
    settings.bounds.ping_ms = 50;
    settings.bounds.pong_ms = 60'000;
    running_server server(settings);
    auto c = plain(server, "room");
    EXPECT_EQ(c.next().kind, event_kind::ping);
}

TEST(plain_websocket, an_offered_subprotocol_is_ignored) {
    running_server server;
    websocket_client c(server.port(), "/ws/plain/room", "chat");
    EXPECT_EQ(c.handshake.status, 101);
    EXPECT_EQ(c.handshake.field("Sec-WebSocket-Protocol"), "");
    EXPECT_EQ(websocket_client(server.port(), "/ws/plain/room", "pulsewire.v1").handshake.status, 400);
}

}  // namespace
}  // namespace pulsewire
