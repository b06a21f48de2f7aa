// GET /ws over real sockets. What the frame codec guarantees is proven in common/protocol; here is what the
// shell adds.

#include "common/session/public_name.hpp"
#include "server/testing/running_server.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <future>

namespace pulsewire {
namespace {

using namespace testing;
using websocket::event_kind;
using websocket::opcode;

http_answer handshake(std::uint16_t port, const std::string& fields, const std::string& target = "/ws") {
    client c(port);
    c.send("GET " + target + " HTTP/1.1\r\nHost: localhost\r\n" + fields + "\r\n");
    return read_answer(c);
}

const std::string upgrade = "Upgrade: websocket\r\nConnection: Upgrade\r\n";
const std::string version = "Sec-WebSocket-Version: 13\r\n";
const std::string key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
const std::string protocol = "Sec-WebSocket-Protocol: pulsewire.v1\r\n";

TEST(websocket_handshake, answers_with_the_key_of_the_rfc_and_the_protocol) {
    running_server server;
    const auto a = handshake(server.port(), upgrade + version + key + protocol);
    EXPECT_EQ(a.status, 101);
    EXPECT_EQ(a.field("Sec-WebSocket-Accept"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    EXPECT_EQ(a.field("Sec-WebSocket-Protocol"), "pulsewire.v1");
    EXPECT_EQ(a.field("Upgrade"), "websocket");
}

TEST(websocket_handshake, tokens_are_read_in_any_case_and_in_lists) {
    running_server server;
    const std::string loose = "upgrade: WebSocket\r\nconnection: keep-alive, UPGRADE\r\n";
    EXPECT_EQ(
        handshake(server.port(), loose + version + key + "Sec-WebSocket-Protocol: x, pulsewire.v1\r\n")
            .status,
        101
    );
    EXPECT_EQ(
        handshake(server.port(), loose + version + key + "Sec-WebSocket-Protocol: x\r\n" + protocol).status,
        101
    );
}

TEST(websocket_handshake, a_plain_get_is_told_what_to_do) {
    running_server server;
    const auto a = handshake(server.port(), "");
    EXPECT_EQ(a.status, 426);
    EXPECT_EQ(a.field("Upgrade"), "websocket");
    EXPECT_NE(a.body.find("new WebSocket"), std::string::npos);
}

TEST(websocket_handshake, incomplete_ones_are_refused) {
    running_server server;
    EXPECT_EQ(handshake(server.port(), "Upgrade: websocket\r\n" + version + key + protocol).status, 426);
    EXPECT_EQ(handshake(server.port(), "Connection: Upgrade\r\n" + version + key + protocol).status, 426);
    const auto old = handshake(server.port(), upgrade + "Sec-WebSocket-Version: 8\r\n" + key + protocol);
    EXPECT_EQ(old.status, 426);
    EXPECT_EQ(old.field("Sec-WebSocket-Version"), "13");
    EXPECT_EQ(handshake(server.port(), upgrade + version + protocol).status, 400);
    EXPECT_EQ(handshake(server.port(), upgrade + version + key + key + protocol).status, 400);
    EXPECT_EQ(
        handshake(server.port(), upgrade + version + "Sec-WebSocket-Key: short\r\n" + protocol).status, 400
    );
    EXPECT_EQ(
        handshake(server.port(), upgrade + version + key + protocol + "Content-Length: 0\r\n").status, 101
    );
}

TEST(websocket_handshake, without_the_subprotocol_it_is_refused_with_advice) {
    running_server server;
    for (const std::string& offer :
         {std::string(), std::string("Sec-WebSocket-Protocol: pulsewire.v2, graphql-ws\r\n")}) {
        const auto a = handshake(server.port(), upgrade + version + key + offer);
        EXPECT_EQ(a.status, 400);
        EXPECT_NE(a.body.find("pulsewire.v1"), std::string::npos);
    }
}

TEST(websocket_handshake, frames_behind_the_request_are_read) {
    running_server server;
    client c(server.port());
    c.send(
        "GET /ws HTTP/1.1\r\nHost: localhost\r\n" + upgrade + version + key + protocol + "\r\n" +
        websocket_client::masked(opcode::text, R"({"op":"connect","id":1,"version":1,"session":"abcdefgh"})")
    );
    EXPECT_EQ(read_answer(c).status, 101);
    EXPECT_NE(c.read_until("}\n").find("\"welcome\""), std::string::npos);
}

// Protocol 4.1 to 4.9 through the whole shell.
TEST(websocket, connects_subscribes_publishes_and_hears) {
    running_server server;
    auto c = subscribed(server.port(), "room");
    c.send_text(R"({"op":"publish","id":3,"channel":"room","type":"note","payload":{"a":[1,"ü"]}})");
    const std::string heard = c.line_with("\"note\"");
    EXPECT_NE(heard.find(R"("offset":1)"), std::string::npos);
    EXPECT_TRUE(heard.ends_with(R"("payload":{"a":[1,"ü"]}})")) << heard;
    EXPECT_NE(c.line_with("\"published\"").find(R"("offset":1)"), std::string::npos);
}

// Protocol 2.3: what is said in one turn leaves as one message.
TEST(websocket, answers_of_one_message_come_in_one_message) {
    running_server server;
    websocket_client c(server.port(), "/ws", "pulsewire.v1");
    c.send_text(R"({"op":"connect","id":1,"version":1,"session":"abcdefgh"})"
                "\n"
                R"({"op":"ping","id":2})"
                "\n"
                R"({"op":"ping","id":3})");
    c.line_with("\"welcome\"");
    c.line_with("\"id\":2");
    c.line_with("\"id\":3");
    EXPECT_EQ(c.messages, 1u);
}

// Protocol 3.6.
TEST(websocket, a_message_that_is_too_large_is_answered_and_the_connection_lives_on) {
    running_server server;
    auto c = connected(server.port());
    c.send_text(
        R"({"op":"publish","id":7,"channel":"a","type":"b","payload":")" + std::string(100'000, 'x') + "\"}"
    );
    const std::string error = c.line_with("\"error\"");
    EXPECT_NE(error.find(R"("id":7,"code":"too_large")"), std::string::npos) << error;
    c.send_text(R"({"op":"ping","id":8})");
    c.line_with("\"pong\"");
}

TEST(websocket, what_is_malformed_is_answered_and_the_connection_lives_on) {
    running_server server;
    auto c = connected(server.port());
    c.send_text("{\"op\":\"pub\n[]\n{}\n{\"op\":\"sing\",\"id\":5}");
    EXPECT_NE(c.next_line().find("malformed_json"), std::string::npos);
    EXPECT_NE(c.next_line().find("invalid_frame"), std::string::npos);
    EXPECT_NE(c.next_line().find("invalid_frame"), std::string::npos);
    EXPECT_NE(c.next_line().find(R"("id":5,"code":"unknown_op")"), std::string::npos);
    EXPECT_EQ(server.metric("pulsewire_errors_total{code=\"malformed_json\"}"), 1);
}

TEST(websocket, a_ping_is_echoed_byte_by_byte) {
    running_server server;
    auto c = connected(server.port());
    std::string payload;
    for (int i = 0; i < 125; ++i) payload.push_back(static_cast<char>(i * 2));
    c.send_frame(opcode::ping, payload);
    const auto pong = c.next();
    EXPECT_EQ(pong.kind, event_kind::pong);
    EXPECT_EQ(pong.data, payload);
}

// RFC 6455 5.5.1 and 7.1.1: the close frame is answered with its code, then the server ends the connection.
TEST(websocket, a_close_is_answered_and_the_connection_ends) {
    running_server server;
    auto c = connected(server.port());
    c.connection().send(std::string(websocket::close_frame(1001, "bye", {1, 2, 3, 4}).view()));
    EXPECT_EQ(c.closed().code, 1001);
    EXPECT_EQ(c.connection().read_to_end(), "");
}

struct broken_input {
    std::string bytes;
    std::uint16_t code;
};

class websocket_failures_test : public ::testing::TestWithParam<broken_input> {};

// Protocol 7.1: the connection says why before it closes, in its own frame and in the close frame.
TEST_P(websocket_failures_test, end_the_connection_with_their_code) {
    running_server server;
    auto c = connected(server.port());
    c.connection().send(GetParam().bytes);
    const std::string line = c.next_line();
    const std::string code = std::to_string(GetParam().code);
    EXPECT_NE(line.find(R"("op":"close","code":)" + code), std::string::npos) << line;
    EXPECT_EQ(c.closed().code, GetParam().code);
    EXPECT_EQ(ask(server.port(), "GET", "/healthz").status, 200);
}

std::string many_fragments(int count, const std::string& each) {
    std::string bytes = websocket_client::masked(opcode::text, each, false);
    for (int i = 0; i < count; ++i) bytes += websocket_client::masked(opcode::continuation, each, false);
    return bytes;
}

using namespace std::string_literals;
INSTANTIATE_TEST_SUITE_P(
    Inputs, websocket_failures_test,
    ::testing::Values(
        broken_input{"\x81\x02hi"s, 1002},                                   // not masked
        broken_input{websocket_client::masked(opcode::text, "\xff"), 1007},  //
        broken_input{"\x81\xff\x80\0\0\0\0\0\0\x05\1\2\3\4"s, 1002},         // 2^63 + 5 bytes
        broken_input{"\x81\xff\0\0\0\0\x80\0\0\0\1\2\3\4"s, 1009},           // 2 GiB
        broken_input{many_fragments(1'024, ""), 1008},                       // endless empty fragments
        broken_input{many_fragments(1'024, "x"), 1008},                      //
        broken_input{"\x89\xfe\0\x7e\1\2\3\4"s, 1002},                       // a ping of 126 bytes
        broken_input{"\xc1\x80\1\2\3\4"s, 1002},                             // a reserved bit
        broken_input{"\x83\x80\1\2\3\4"s, 1002}                              // a reserved opcode
    )
);

TEST(websocket, a_message_that_drips_ends_with_1008) {
    config c = test_config();
    c.shell.assembly_timeout_ms = 50;
    running_server server(c);
    auto dripping = connected(server.port());
    dripping.connection().send(websocket_client::masked(opcode::text, "unfinished", false));
    EXPECT_EQ(dripping.closed().code, 1008);
}

TEST(websocket, a_header_that_drips_ends_with_1008) {
    config c = test_config();
    c.shell.assembly_timeout_ms = 50;
    running_server server(c);
    auto dripping = connected(server.port());
    dripping.connection().send("\x81");
    EXPECT_EQ(dripping.closed().code, 1008);
}

TEST(websocket, a_flood_of_pings_ends_with_1008) {
    running_server server;
    auto c = connected(server.port());
    std::string pings;
    for (int i = 0; i < 200; ++i) pings += websocket_client::masked(opcode::ping, "");
    c.connection().send(pings);
    websocket_client::received r;
    do {
        r = c.next();
    } while (r.kind == event_kind::pong || r.kind == event_kind::text);
    EXPECT_EQ(r.kind, event_kind::close);
    EXPECT_EQ(r.code, 1008);
}

TEST(websocket, messages_between_pings_do_not_hide_a_flood) {
    running_server server;
    auto c = connected(server.port());
    std::string flood;
    for (int i = 0; i < 200; ++i)
        flood += websocket_client::masked(i % 2 == 0 ? opcode::ping : opcode::pong, "") +
                 websocket_client::masked(opcode::text, "");
    c.connection().send(flood);
    websocket_client::received r;
    do {
        r = c.next();
    } while (r.kind == event_kind::pong || r.kind == event_kind::text);
    EXPECT_EQ(r.kind, event_kind::close);
    EXPECT_EQ(r.code, 1008);
}

// RFC 6455 7.1.1 and 7.1.7: the peer need not answer, nor end its own half.
TEST(websocket, tcp_ends_right_behind_the_close_frame_of_a_failure) {
    config never = test_config();
    never.shell.close_timeout_ms = 3'600'000;
    running_server server(never);
    for (const std::string& broken :
         {"\x81\x02hi"s, websocket_client::masked(opcode::text, "\xff"), many_fragments(1'024, "x"),
          websocket_client::masked(opcode::text, "\xff") + websocket_client::masked(opcode::close, "")}) {
        auto c = connected(server.port());
        c.connection().send(broken);
        EXPECT_NE(c.closed().code, 0);
        EXPECT_EQ(c.connection().read_to_end(), "");
    }
}

// Protocol 4.1.
TEST(websocket, without_connect_it_ends_with_4002) {
    config c = test_config();
    c.bounds.connect_timeout_ms = 100;
    running_server server(c);
    websocket_client silent(server.port(), "/ws", "pulsewire.v1");
    EXPECT_EQ(silent.closed().code, 4002);
}

// Protocol 4.15.
TEST(websocket, a_silent_client_is_pinged_and_then_closed_with_4001) {
    config c = test_config();
    c.bounds.ping_ms = 100;
    c.bounds.pong_ms = 100;
    running_server server(c);
    auto silent = connected(server.port());
    silent.line_with("\"ping\"");
    EXPECT_EQ(silent.closed().code, 4001);
}

// The server does not wait for ever for the answer to its close frame.
TEST(websocket, a_client_that_ignores_the_close_frame_is_cut_off) {
    config c = test_config();
    c.shell.close_timeout_ms = 50;
    running_server server(c);
    auto stubborn = connected(server.port());
    stubborn.send_text("\xff");
    EXPECT_EQ(stubborn.closed().code, 1007);
    EXPECT_EQ(stubborn.connection().read_to_end(), "");
}

// Protocol 7, code 4000. Others get everything meanwhile.
TEST(websocket, a_slow_reader_is_closed_with_4000_and_delays_nobody) {
    config c = test_config();
    c.bounds.commands_per_second = 0;
    running_server server(c);
    constexpr int messages = 400;
    auto slow = subscribed(server.port(), "busy", "slow-session", 4'096);
    auto good = subscribed(server.port(), "busy", "good-session");
    auto publisher = connected(server.port(), "publisher-session");
    const std::string payload(50'000, 'x');
    for (int i = 1; i <= messages; ++i) {
        publisher.send_text(
            R"({"op":"publish","id":)" + std::to_string(i + 10) +
            R"(,"channel":"busy","type":"t","payload":")" + payload + "\"}"
        );
        publisher.line_with("\"published\"");
        EXPECT_NE(
            good.line_with("\"type\":\"t\"").find("\"offset\":" + std::to_string(i) + ","), std::string::npos
        );
    }
    server.wait_for("pulsewire_slow_consumers_total", 1);
    EXPECT_GT(server.metric("pulsewire_queue_dropped_total{policy=\"disconnect\"}"), 0);
    EXPECT_EQ(slow.closed().code, 4000);
}

// A client that recovers more than queue_bytes_max is not slow: what it asked for has a bound of its own.
TEST(websocket, a_long_replay_is_no_reason_to_be_slow) {
    config c = test_config();
    c.shell.queue_bytes_max = 64 * 1024;
    c.default_namespace.history_bytes_max = 64 << 20;
    running_server server(c);
    const std::string body = R"({"payload":")" + std::string(50'000, 'x') + "\"}";
    constexpr int messages = 300;
    for (int i = 0; i < messages; ++i)
        ASSERT_EQ(ask(server.port(), "POST", "/api/channels/long/messages", body).status, 200);
    auto reader = connected(server.port(), "session-of-a-test", 4'096);
    reader.send_text(R"({"op":"subscribe","id":2,"channel":"long","latest":300})");
    reader.line_with(R"("replay":300)");
    for (int i = 1; i <= messages; ++i)
        EXPECT_NE(reader.next_line().find("\"offset\":" + std::to_string(i) + ","), std::string::npos);
}

TEST(websocket, a_write_without_progress_ends_the_connection) {
    config c = test_config();
    c.shell.write_timeout_ms = 50;
    c.shell.queue_bytes_max = 512 << 20;
    std::promise<void> gone;
    running_server server(c, [&](auto& s) {
        s.on_disconnect([&](connection& who) {
            if (who.session() == hub::public_name("slow-session")) gone.set_value();
        });
    });
    auto slow = subscribed(server.port(), "busy", "slow-session", 4'096);
    const std::string body = R"({"payload":")" + std::string(50'000, 'x') + "\"}";
    for (int i = 0; i < 200; ++i)
        ASSERT_EQ(ask(server.port(), "POST", "/api/channels/busy/messages", body).status, 200);
    EXPECT_EQ(gone.get_future().wait_for(patience), std::future_status::ready);
    EXPECT_EQ(server.metric("pulsewire_write_timeouts_total"), 1);
}

// A message that takes longer than the timeouts to cross a slow link arrives once, late, and is not cut.
TEST(websocket, a_message_may_take_longer_than_every_timeout_while_its_bytes_move) {
    config c = test_config(1);
    c.bounds.ping_ms = 1'000;
    c.bounds.pong_ms = 1'000;
    c.shell.assembly_timeout_ms = 2'000;
    running_server server(c);
    websocket_client slow = connected(server.port());
    const std::string payload(30'000, 'x');
    const std::string frame = websocket_client::masked(
        opcode::text, R"({"op":"publish","id":5,"channel":"a","type":"t","payload":")" + payload + "\"}"
    );
    const auto begun = std::chrono::steady_clock::now();
    std::size_t sent = 0;
    // The clock of the server is the real one: 5 KB go out as a second passes.
    while (sent < frame.size()) {
        pollfd pings{slow.connection().socket(), POLLIN, 0};
        if (::poll(&pings, 1, 5) > 0) slow.connection().read_more();
        const auto passed =
            std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begun);
        const std::size_t due =
            std::min<std::size_t>(frame.size(), static_cast<std::size_t>(passed.count()) * 5);
        if (due > sent) {
            ASSERT_TRUE(slow.connection().send(std::string_view(frame).substr(sent, due - sent)));
        }
        sent = std::max(sent, due);
    }
    EXPECT_NE(slow.line_with("\"id\":5").find("published"), std::string::npos);
}

TEST(websocket, who_drips_a_message_is_cut_off_at_the_floor_rate) {
    config c = test_config(1);
    c.shell.assembly_timeout_ms = 500;
    c.shell.transfer_bytes_per_second_min = 1'000'000;
    running_server server(c);
    websocket_client slow = connected(server.port());
    const std::string frame = websocket_client::masked(opcode::text, std::string(60'000, 'x'));
    std::size_t sent = 0;
    while (sent < 50'000 && !slow.connection().has_more())
        if (!slow.connection().send(frame.substr(sent++, 1))) break;
    EXPECT_EQ(slow.closed().code, static_cast<std::uint16_t>(close_code::policy_violation));
}

}  // namespace
}  // namespace pulsewire
