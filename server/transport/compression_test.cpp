// permessage-deflate over real sockets (RFC 7692): once per message for all, and nothing that a peer
// compresses can hurt.

#include "server/net/compression.hpp"

#include "common/base/random.hpp"
#include "server/testing/running_server.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace pulsewire {
namespace {

using namespace testing;
using shell::deflater;
using shell::inflater;
using websocket::event_kind;
using websocket::opcode;

config compressing() {
    config c = test_config(1);
    c.shell.websocket_compression = true;
    c.bounds.message_bytes_max = 8'192;
    return c;
}

websocket_client offering(const running_server& server, const std::string& session) {
    websocket_client c(
        server.port(), "/ws", "pulsewire.v1", 0,
        "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"
    );
    c.send_text(R"({"op":"connect","id":1,"version":1,"session":")" + session + "\"}");
    EXPECT_NE(c.next().data.find("welcome"), std::string::npos);
    return c;
}

std::string text_of(const websocket_client::received& r) {
    EXPECT_EQ(r.kind, event_kind::text);
    if (!r.compressed) return r.data;
    std::string text;
    inflater undo;
    EXPECT_EQ(undo.decompress(r.data, 1 << 20, text), inflater::outcome::whole);
    return text;
}

// A compressed text message as a client sends it.
std::string compressed_frame(std::string_view payload) {
    std::string frame = websocket_client::masked(opcode::text, std::string(payload));
    frame[0] = static_cast<char>(frame[0] | 0x40);
    return frame;
}

std::string publish(const std::string& text) {
    return R"({"op":"publish","id":7,"channel":"a","type":"t","payload":")" + text + "\"}";
}

TEST(compression, is_off_unless_turned_on_and_asked_for) {
    const std::string field = "Sec-WebSocket-Extensions: permessage-deflate\r\n";
    running_server off(test_config(1));
    websocket_client refused(off.port(), "/ws", "pulsewire.v1", 0, field);
    EXPECT_EQ(refused.handshake.status, 101);
    EXPECT_EQ(refused.handshake.field("Sec-WebSocket-Extensions"), "");
    // RFC 6455 5.2: a reserved bit without an extension ends the connection.
    refused.connection().send(compressed_frame("x"));
    EXPECT_EQ(refused.closed().code, 1002);

    running_server on(compressing());
    websocket_client plain(on.port(), "/ws", "pulsewire.v1");
    EXPECT_EQ(plain.handshake.field("Sec-WebSocket-Extensions"), "");
    websocket_client agreed(on.port(), "/ws", "pulsewire.v1", 0, field);
    EXPECT_EQ(
        agreed.handshake.field("Sec-WebSocket-Extensions"),
        "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
    );
}

TEST(compression, shrinks_what_is_large_enough_and_everybody_reads_the_same) {
    running_server server(compressing());
    websocket_client plain = subscribed(server.port(), "a", "plain-session");
    std::vector<websocket_client> packed;
    for (int i = 0; i < 3; ++i) {
        packed.push_back(offering(server, "packed-session-" + std::to_string(i)));
        packed.back().send_text(R"({"op":"subscribe","id":2,"channel":"a"})");
        EXPECT_NE(text_of(packed.back().next()).find("subscribed"), std::string::npos);
    }
    websocket_client publisher = connected(server.port(), "publisher-session");
    for (const std::size_t size : {10, 4'000}) {
        publisher.send_text(publish(std::string(size, 'x')));
        const std::string line = plain.line_with("\"payload\"") + "\n";
        for (websocket_client& c : packed) {
            const auto got = c.next();
            EXPECT_EQ(got.compressed, size > 512);
            EXPECT_EQ(text_of(got), line);
            if (got.compressed) {
                EXPECT_LT(got.data.size(), 200u);
            }
        }
    }
    // A message for one client alone is compressed, too.
    packed[0].send_text(R"({"op":"history","id":3,"channel":"a"})");
    const auto page = packed[0].next();
    EXPECT_TRUE(page.compressed);
    EXPECT_NE(text_of(page).find("\"history\""), std::string::npos);
}

TEST(compression, clients_may_compress_too) {
    running_server server(compressing());
    websocket_client listener = subscribed(server.port(), "a", "listener-session");
    websocket_client c = offering(server, "packed-session");
    deflater pack;
    c.connection().send(compressed_frame(pack.compress(publish("hello"))));
    EXPECT_NE(text_of(c.next()).find("\"published\""), std::string::npos);
    EXPECT_NE(listener.line_with("\"payload\"").find("\"hello\""), std::string::npos);
    // In two frames; only the first one says that it is compressed (RFC 7692 6.1).
    const std::string payload = pack.compress(publish("again"));
    std::string first = websocket_client::masked(opcode::text, payload.substr(0, 9), false);
    first[0] = static_cast<char>(first[0] | 0x40);
    c.connection().send(first + websocket_client::masked(opcode::continuation, payload.substr(9)));
    EXPECT_NE(text_of(c.next()).find("\"published\""), std::string::npos);
    // RFC 7692 7.2.3.3: not compressed at all, and 7.2.3.4: a block that says it is the last one.
    c.send_text(publish("plain"));
    EXPECT_NE(text_of(c.next()).find("\"published\""), std::string::npos);
    const std::string text = publish("last");
    const auto size = static_cast<char>(text.size());
    const std::string stored =
        std::string("\x01", 1) + size + '\0' + static_cast<char>(~size) + '\xff' + text + '\0';
    c.connection().send(compressed_frame(stored));
    EXPECT_NE(text_of(c.next()).find("\"published\""), std::string::npos);
    EXPECT_NE(listener.line_with("\"last\"").find("\"offset\":4"), std::string::npos);
}

// Promise P6, and protocol 3.6 with the size that counts.
TEST(compression, a_small_message_that_becomes_large_is_too_large) {
    running_server server(compressing());
    websocket_client c = offering(server, "packed-session");
    deflater pack;
    c.connection().send(compressed_frame(pack.compress(publish(std::string(1'000'000, 'x')))));
    const std::string answer = text_of(c.next());
    EXPECT_NE(answer.find("\"too_large\""), std::string::npos);
    EXPECT_NE(answer.find("\"id\":7"), std::string::npos);
    c.send_text(R"({"op":"ping","id":8})");
    EXPECT_NE(text_of(c.next()).find("pong"), std::string::npos);
}

TEST(compression, broken_messages_end_their_connection) {
    running_server server(compressing());
    const auto closed_with = [&](const std::string& frame) {
        websocket_client c = offering(server, "packed-session");
        c.connection().send(frame);
        return c.closed().code;
    };
    deflater pack;
    EXPECT_EQ(closed_with(compressed_frame("\xff\xff\xff")), 1002);
    EXPECT_EQ(closed_with(compressed_frame(pack.compress("\xc3\x28"))), 1007);
    std::string control = websocket_client::masked(opcode::ping, "x");
    control[0] = static_cast<char>(control[0] | 0x40);
    EXPECT_EQ(closed_with(control), 1002);
    std::string continued = websocket_client::masked(opcode::text, "{", false);
    std::string rest = websocket_client::masked(opcode::continuation, "}");
    rest[0] = static_cast<char>(rest[0] | 0x40);
    EXPECT_EQ(closed_with(continued + rest), 1002);
}

TEST(compression, undoes_whatever_it_did) {
    deflater pack;
    inflater undo;
    std::uint64_t random = 5;
    for (int i = 0; i < 300; ++i) {
        std::string text(next_random(random, 70'000), '\0');
        const std::uint64_t letters = 1 + next_random(random, 256);
        for (char& c : text) c = static_cast<char>(next_random(random, letters));
        std::string back;
        const std::string packed = pack.compress(text);
        ASSERT_EQ(undo.decompress(packed, text.size(), back), inflater::outcome::whole);
        ASSERT_EQ(back, text);
        if (text.empty()) continue;
        ASSERT_EQ(undo.decompress(packed, text.size() - 1, back), inflater::outcome::too_large);
        ASSERT_EQ(back, text.substr(0, text.size() - 1));
    }
}

// Whatever a peer sends: an outcome, within the bound, in bounded time.
TEST(compression, any_bytes_have_an_outcome) {
    deflater pack;
    inflater undo;
    std::uint64_t random = 9;
    int broken = 0;
    for (int i = 0; i < 3'000; ++i) {
        std::string packed = pack.compress(std::string(next_random(random, 3'000), 'a') + publish("b"));
        for (std::uint64_t n = 1 + next_random(random, 4); n > 0; --n)
            packed[next_random(random, packed.size())] = static_cast<char>(next_random(random));
        std::string out;
        broken += undo.decompress(packed, 2'000, out) == inflater::outcome::broken;
        ASSERT_LE(out.size(), 2'000u);
    }
    EXPECT_GT(broken, 100);
}

}  // namespace
}  // namespace pulsewire
