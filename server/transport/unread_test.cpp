// A connection whose own answers wait is not read: whatever a client asks for without reading, the server
// holds one batch and one answer for it.

#include "server/testing/certificate.hpp"
#include "server/testing/running_server.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace pulsewire {
namespace {

using namespace testing;

constexpr int publications = 100;
constexpr std::size_t payload_bytes = 2'000;
constexpr int queries = 300;

config unbounded(std::uint32_t threads) {
    config c = test_config(threads);
    c.bounds.commands_per_second = 0;
    c.shell.control_frames_max = 1'000'000'000;
    // On a busy machine a test may take its time to read.
    c.shell.write_timeout_ms = c.shell.http_answer_timeout_ms = 600'000;
    return c;
}

void fill(running_server& server, const std::string& channel) {
    auto publisher = connected(server.port(), "publisher-session");
    const std::string payload(payload_bytes, 'x');
    for (int i = 1; i <= publications; ++i) {
        publisher.send_text(
            R"({"op":"publish","id":)" + std::to_string(i + 10) + R"(,"channel":")" + channel +
            R"(","type":"t","payload":")" + payload + "\"}"
        );
        publisher.line_with("\"published\"");
    }
}

std::string query(int id, const std::string& channel) {
    return R"({"op":"history","id":)" + std::to_string(id) + R"(,"channel":")" + channel + "\"}\n";
}

// Of queries in one message, each answered with 128 KiB.
std::string many_queries(const std::string& channel, int count = queries) {
    std::string lines;
    for (int i = 1; i <= count; ++i) lines += query(100 + i, channel);
    return lines;
}

void expect_all_answers(const std::function<std::string()>& next_line, int count = queries) {
    for (int i = 1; i <= count; ++i) {
        const std::string line = next_line();
        ASSERT_NE(line.find("\"id\":" + std::to_string(100 + i) + ","), std::string::npos)
            << line.substr(0, 100);
    }
}

// Channels of every shard but the client's are among these.
const std::string channels[] = {"a", "b", "c"};

// The most that is carried out while nothing is read: the kernel takes some megabytes of answers of 128 KiB.
constexpr double unread_queries_max = 150;

void ask_without_reading(running_server& server, websocket_client& c, const std::string& channel) {
    const double before = server.metric("pulsewire_messages_received_total");
    ASSERT_TRUE(c.send_text(many_queries(channel)));
    // Answered after the message has arrived, by a connection of every shard.
    for (int i = 0; i < 10; ++i) server.metric("pulsewire_channels");
    EXPECT_LT(server.metric("pulsewire_messages_received_total") - before, unread_queries_max);
    EXPECT_EQ(server.metric("pulsewire_slow_consumers_total"), 0);
    expect_all_answers([&] { return c.next_line(); });
}

TEST(unread, queries_of_one_message_are_answered_as_they_are_read) {
    for (const std::uint32_t threads : {1u, 2u}) {
        running_server server(unbounded(threads));
        for (const std::string& channel : channels) {
            fill(server, channel);
            auto c = connected(server.port(), "asking-session", 4'096);
            ask_without_reading(server, c, channel);
        }
    }
}

TEST(unread, over_tls) {
    config settings = unbounded(1);
    const certificate_files files(::testing::TempDir() + "unread");
    settings.tls_certificate = files.certificate;
    settings.tls_key = files.key;
    running_server server(std::move(settings));
    auto publisher = connected(client(server.port(), tls_wishes()), "publisher-session");
    const std::string payload(payload_bytes, 'x');
    for (int i = 1; i <= publications; ++i) {
        publisher.send_text(
            R"({"op":"publish","id":7,"channel":"a","type":"t","payload":")" + payload + "\"}"
        );
        publisher.line_with("\"published\"");
    }
    auto c = connected(client(server.port(), tls_wishes()), "asking-session");
    ask_without_reading(server, c, "a");
}

// Sends until the server takes no more; false when it has taken everything.
bool is_stopped(running_server& server, client& c, const std::string& bytes, int times) {
    double read_before = -1;
    for (int i = 0; i < times; ++i) {
        std::string_view rest = bytes;
        while (!rest.empty()) {
            const ssize_t sent = ::send(c.socket(), rest.data(), rest.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
            if (sent > 0) {
                rest.remove_prefix(static_cast<std::size_t>(sent));
                continue;
            }
            if (sent < 0 && errno != EAGAIN) return false;
            // A request of the metrics is some bytes itself.
            const double read = server.metric("pulsewire_received_bytes_total");
            if (read - read_before < 1'000) return true;
            read_before = read;
        }
    }
    return false;
}

TEST(unread, pings_between_messages_wait_with_their_pongs) {
    config settings = unbounded(1);
    settings.shell.queue_bytes_max = 1'000'000'000;
    running_server server(std::move(settings));
    auto c = connected(server.port(), "pinging-session", 4'096);
    std::string some;
    for (int i = 0; i < 1'000; ++i)
        some += websocket_client::masked(websocket::opcode::ping, std::string(125, 'p')) +
                websocket_client::masked(websocket::opcode::text, "\n");
    EXPECT_TRUE(is_stopped(server, c.connection(), some, 1'000));
}

TEST(unread, text_in_raw_that_is_answered_by_errors_waits_with_them) {
    config settings = test_config(1);
    settings.bounds.commands_per_second = 1;
    settings.shell.queue_bytes_max = 1'000'000'000;
    running_server server(std::move(settings));
    websocket_client c(server.port(), "/ws/plain/a", "", 4'096);
    server.wait_for("pulsewire_subscriptions", 1);
    std::string some;
    for (int i = 0; i < 1'000; ++i) some += websocket_client::masked(websocket::opcode::text, "hello");
    EXPECT_TRUE(is_stopped(server, c.connection(), some, 10'000));
}

// Its unread bytes prove that it lives; the silence is ours.
TEST(unread, who_is_not_read_is_not_silent) {
    config settings = unbounded(1);
    settings.bounds.ping_ms = 500;
    settings.bounds.pong_ms = 500;
    running_server server(std::move(settings));
    fill(server, "a");
    auto c = connected(server.port(), "asking-session", 4'096);
    ASSERT_TRUE(c.send_text(many_queries("a", 1'000)));
    // Reads for longer than it may be silent, a little at a time, and is not cut.
    const auto begin = std::chrono::steady_clock::now();
    for (int lines = 1; lines <= 400; ++lines) {
        ASSERT_FALSE(c.next_line().empty()) << "closed with " << c.closed_with.code;
        while (std::chrono::steady_clock::now() < begin + std::chrono::milliseconds(10) * lines)
            server.metric("pulsewire_channels");
    }
}

TEST(unread, a_reader_that_takes_nothing_is_cut_all_the_same) {
    config settings = unbounded(1);
    settings.shell.write_timeout_ms = 100;
    running_server server(std::move(settings));
    fill(server, "a");
    auto c = connected(server.port(), "asking-session", 4'096);
    ASSERT_TRUE(c.send_text(many_queries("a")));
    server.wait_for("pulsewire_write_timeouts_total", 1);
}

// The close frame of a client that is not read waits with the rest; it is found when the server closes.
TEST(unread, a_close_comes_to_its_end) {
    running_server server(unbounded(1));
    fill(server, "a");
    auto c = connected(server.port(), "asking-session", 4'096);
    ASSERT_TRUE(c.send_text(many_queries("a")));
    ASSERT_TRUE(c.send_frame(websocket::opcode::close, std::string("\x03\xe8", 2)));
    EXPECT_EQ(c.closed().code, 1000);
    server.wait_for("pulsewire_connections{transport=\"websocket\"}", 0);
}

// Protocol 8.2: 204 says that all frames were taken, so it comes late.
TEST(unread, a_post_to_a_stream_is_answered_when_its_lines_are_carried_out) {
    for (const std::uint32_t threads : {1u, 2u}) {
        running_server server(unbounded(threads));
        for (const std::string& channel : channels) {
            fill(server, channel);
            client stream(server.port(), 4'096);
            stream.send("GET /sse HTTP/1.1\r\nHost: localhost\r\n\r\n");
            read_answer(stream);
            const std::string first = stream.read_until("\n\n");
            const std::size_t at = first.find("\"connection\":\"") + 14;
            const std::string name =
                "Pulsewire-Connection: " + first.substr(at, first.find('"', at) - at) + "\r\n";
            ASSERT_EQ(
                ask(server.port(), "POST", "/sse",
                    R"({"op":"connect","version":1,"session":"asking-session"})", name)
                    .status,
                204
            );
            stream.read_until("\"welcome\"");
            const double before = server.metric("pulsewire_messages_received_total");
            // Two of these are more than may wait for one stream.
            constexpr int count = 1'200;
            const std::string lines = many_queries(channel, count);
            client post(server.port());
            post.send(
                "POST /sse HTTP/1.1\r\nHost: localhost\r\n" + name +
                "Content-Length: " + std::to_string(lines.size()) + "\r\n\r\n" + lines
            );
            for (int i = 0; i < 10; ++i) server.metric("pulsewire_channels");
            EXPECT_LT(server.metric("pulsewire_messages_received_total") - before, unread_queries_max);
            EXPECT_FALSE(post.has_more()) << "not all is taken";
            EXPECT_EQ(ask(server.port(), "POST", "/sse", lines, name).status, 503) << "one at a time";
            expect_all_answers(
                [&] {
                    std::string line;
                    do {
                        line = stream.read_until("\n");
                    } while (line.find("\"history\"") == std::string::npos);
                    return line;
                },
                count
            );
            EXPECT_EQ(read_answer(post).status, 204);
        }
    }
}

TEST(unread, a_post_to_a_stream_that_ends_is_told_so) {
    running_server server(unbounded(2));
    fill(server, "a");
    std::string name;
    client post(server.port());
    {
        client stream(server.port(), 4'096);
        stream.send("GET /sse HTTP/1.1\r\nHost: localhost\r\n\r\n");
        read_answer(stream);
        const std::string first = stream.read_until("\n\n");
        const std::size_t at = first.find("\"connection\":\"") + 14;
        name = "Pulsewire-Connection: " + first.substr(at, first.find('"', at) - at) + "\r\n";
        const std::string lines = R"({"op":"connect","version":1,"session":"asking-session"})"
                                  "\n" +
                                  many_queries("a");
        post.send(
            "POST /sse HTTP/1.1\r\nHost: localhost\r\n" + name +
            "Content-Length: " + std::to_string(lines.size()) + "\r\n\r\n" + lines
        );
        stream.read_until("\"welcome\"");
        stream.reset();
    }
    EXPECT_EQ(read_answer(post).status, 404);
}

}  // namespace
}  // namespace pulsewire
