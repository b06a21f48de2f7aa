// Several shards together: order, isolation, limits.

#include "server/testing/running_server.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <map>

namespace pulsewire {
namespace {

using namespace testing;
using websocket::opcode;

std::uint64_t offset_in(const std::string& line) {
    return std::stoull(line.substr(line.find("\"offset\":") + 9));
}

// Promises P1 and P2: every subscriber sees every publication once and in order, across shards and where a
// shard has so many that they share what is written.
class shards_of_test : public ::testing::TestWithParam<std::uint16_t> {};
INSTANTIATE_TEST_SUITE_P(Shards, shards_of_test, ::testing::Values(1, 4));

void expect_the_same_order_everywhere(const config& c) {
    running_server server(c);
    constexpr int publishers = 8, each = 50, channels = 3;
    std::vector<websocket_client> subscribers;
    for (int i = 0; i < 12; ++i) {
        subscribers.push_back(connected(server.port(), "subscriber-" + std::to_string(i)));
        for (int c = 0; c < channels; ++c) {
            subscribers.back().send_text(
                R"({"op":"subscribe","id":)" + std::to_string(c + 2) + R"(,"channel":"c)" +
                std::to_string(c) + "\"}"
            );
            subscribers.back().line_with("\"subscribed\"");
        }
    }
    std::vector<std::thread> threads;
    for (int p = 0; p < publishers; ++p) {
        threads.emplace_back([&, p] {
            auto c = connected(server.port(), "publisher-" + std::to_string(p));
            for (int i = 0; i < each; ++i) {
                c.send_text(
                    R"({"op":"publish","id":)" + std::to_string(i + 5) + R"(,"channel":"c)" +
                    std::to_string(i % channels) + R"(","type":"t","payload":")" +
                    std::to_string(p * each + i) + "\"}"
                );
            }
            for (int i = 0; i < each; ++i) c.line_with("\"published\"");
        });
    }
    for (auto& t : threads) t.join();
    std::map<std::string, std::vector<std::string>> first;
    for (std::size_t s = 0; s < subscribers.size(); ++s) {
        std::map<std::string, std::vector<std::string>> seen;
        for (int i = 0; i < publishers * each; ++i) {
            const std::string line = subscribers[s].line_with("\"type\":\"t\"");
            const std::size_t at = line.find("\"channel\":\"") + 11;
            auto& channel = seen[line.substr(at, 2)];
            channel.push_back(line);
            EXPECT_EQ(offset_in(line), channel.size());
        }
        if (s == 0) first = seen;
        EXPECT_EQ(seen, first);
    }
}

TEST_P(shards_of_test, every_subscriber_sees_the_same_order) {
    expect_the_same_order_everywhere(test_config(GetParam()));
}

// What a turn has no time for is done in the next ones, and nothing overtakes it.
TEST_P(shards_of_test, every_subscriber_sees_the_same_order_where_each_piece_of_work_has_a_turn_of_its_own) {
    config c = test_config(GetParam());
    c.shell.turn_slice_ms = 0;
    expect_the_same_order_everywhere(c);
}

// So many that what they get is gathered for them.
std::vector<websocket_client> many_subscribed(std::uint16_t port, const std::string& channel) {
    std::vector<websocket_client> all;
    for (int i = 0; i < 9; ++i)
        all.push_back(subscribed(port, channel, "other-session-" + std::to_string(i)));
    return all;
}

// What one message of a client asks for happens in one turn of the loop. Protocol 4.3, 4.8.
TEST(shards, who_comes_and_goes_within_a_turn_gets_what_belongs_to_each_subscription) {
    running_server server(test_config(1));
    std::vector<websocket_client> others = many_subscribed(server.port(), "a");
    websocket_client c = subscribed(server.port(), "a", "coming-and-going");
    const std::string publish = R"({"op":"publish","channel":"a","type":"t","payload":1})";
    const std::string leave = R"({"op":"unsubscribe","id":8,"channel":"a"})";
    const std::string come = R"({"op":"subscribe","id":9,"channel":"a"})";
    std::string all;
    for (const std::string& one : {publish, publish, leave, publish, come, publish, publish})
        all += one + "\n";
    c.send_text(all);
    std::vector<std::string> got;
    for (int i = 0; i < 6; ++i) {
        const std::string line = c.next_line();
        const std::size_t op = line.find("\"op\":\"");
        got.push_back(
            op != std::string::npos ? line.substr(op + 6, line.find('"', op + 6) - op - 6)
                                    : std::to_string(offset_in(line))
        );
    }
    EXPECT_EQ(got, (std::vector<std::string>{"1", "2", "unsubscribed", "subscribed", "4", "5"}));
    for (websocket_client& other : others)
        for (std::uint64_t offset = 1; offset <= 5; ++offset) EXPECT_EQ(offset_in(other.next_line()), offset);
}

// Protocol 4.8: also where many get the publication, and it is gathered for them.
TEST(shards, an_answer_comes_behind_its_own_publication) {
    running_server server(test_config(1));
    const std::vector<websocket_client> others = many_subscribed(server.port(), "a");
    websocket_client c = subscribed(server.port(), "a", "publishing-itself");
    const std::string publish = R"({"op":"publish","id":7,"channel":"a","type":"t","payload":1})";
    for (std::uint64_t offset = 1; offset <= 3; ++offset) {
        c.send_text(publish);
        const std::string publication = c.next_line();
        EXPECT_NE(publication.find("\"type\":\"t\""), std::string::npos) << publication;
        EXPECT_EQ(offset_in(publication), offset);
        const std::string answer = c.next_line();
        EXPECT_NE(answer.find("\"published\""), std::string::npos) << answer;
        EXPECT_EQ(offset_in(answer), offset);
    }
}

// Promise P6: while every kind of bad input arrives, a hundred good clients notice nothing.
TEST(shards, bad_clients_harm_nobody_else) {
    running_server server(test_config(2));
    std::vector<websocket_client> good;
    for (int i = 0; i < 100; ++i)
        good.push_back(subscribed(server.port(), "good", "good-session-" + std::to_string(i)));

    using namespace std::string_literals;
    const std::string post = "POST /api/channels/a/messages HTTP/1.1\r\nHost: localhost\r\n";
    const std::string bad_http[] = {
        post + "Transfer-Encoding: chunked\r\n\r\n0\r\nX: " + std::string(70'000, 'a') + "\r\n\r\n",
        post + "Transfer-Encoding: xchunked\r\nContent-Length: 5\r\n\r\nabcde",
        post + "Content-Length: 99999999999999999999\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: localhost\r\n folded\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "GET http://169.254.169.254/ HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET /../../etc/passwd HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"s + std::string(500, '\xaa') + "\r\n\r\n",
        std::string(20'000, '\0'),
    };
    const std::string bad_frames[] = {
        "\x81\x02hi"s,
        "\x81\xff\xff\xff\xff\xff\xff\xff\xff\xff\1\2\3\4"s,
        websocket_client::masked(opcode::binary, std::string(60'000, 'b')),
        websocket_client::masked(opcode::text, "\xed\xa0\x80"),
        websocket_client::masked(opcode::text, std::string(65'536, '[')),
        websocket_client::masked(opcode::text, std::string(300'000, '{')),
        websocket_client::masked(opcode::text, std::string(60'000, '\n')),
    };
    std::atomic<bool> stop{false};
    std::jthread attacker([&] {
        for (int round = 0; round < 20; ++round) {
            for (const std::string& bytes : bad_http) {
                client c(server.port());
                c.send(bytes);
                if (round % 2 == 0) c.reset();
            }
            for (const std::string& bytes : bad_frames) {
                auto c = connected(server.port(), "bad-session");
                c.connection().send(bytes);
                if (round % 3 == 0) c.connection().reset();
            }
        }
        stop = true;
    });
    auto publisher = connected(server.port(), "publisher");
    std::uint64_t published = 0;
    while (!stop || published < 100) {
        ++published;
        publisher.send_text(
            R"({"op":"publish","id":)" + std::to_string(published + 1) +
            R"(,"channel":"good","type":"t","payload":1})"
        );
        publisher.line_with("\"published\"");
    }
    attacker.join();
    for (auto& c : good)
        for (std::uint64_t i = 1; i <= published; ++i) EXPECT_EQ(offset_in(c.line_with("\"type\":\"t\"")), i);
    EXPECT_EQ(server.metric("pulsewire_exceptions_total"), 0);
    server.wait_for("pulsewire_connections{transport=\"websocket\"}", 101);
}

TEST(shards, connections_beyond_the_limit_are_told_so) {
    config c = test_config(1);  // several accept in an order of their own
    c.shell.connections_max = 3;
    running_server server(c);
    std::vector<client> open;
    for (int i = 0; i < 3; ++i) open.emplace_back(server.port());
    client refused(server.port());
    EXPECT_EQ(read_answer(refused).status, 503);
    EXPECT_EQ(refused.read_to_end(), "");
    open.clear();
    server.wait_for("pulsewire_connections{transport=\"http\"}", 1);
    EXPECT_GE(server.metric("pulsewire_connections_refused_total"), 1);
}

TEST(shards, metrics_tell_connections_by_transport) {
    running_server server(test_config(3));
    auto ws = subscribed(server.port(), "a");
    websocket_client plain(server.port(), "/ws/plain/a", "");
    client events(server.port());
    events.send("GET /events?channel=a HTTP/1.1\r\nHost: localhost\r\n\r\n");
    events.read_until("pulsewire.open");
    client stream(server.port());
    stream.send("GET /sse HTTP/1.1\r\nHost: localhost\r\n\r\n");
    stream.read_until("\"stream\"");
    for (const std::string transport : {"websocket", "plain_websocket", "events", "sse", "http"})
        server.wait_for("pulsewire_connections{transport=\"" + transport + "\"}", 1);
    server.wait_for("pulsewire_subscriptions", 3);
    ASSERT_EQ(ask(server.port(), "POST", "/api/channels/a/messages", R"({"payload":1})").status, 200);
    EXPECT_EQ(server.metric("pulsewire_publications_total"), 1);
    server.wait_for("pulsewire_messages_delivered_total", 3);
    EXPECT_EQ(server.metric("pulsewire_publish_seconds_count"), 1);
    EXPECT_GT(server.metric("process_resident_memory_bytes"), 1e6);
    EXPECT_GT(server.metric("pulsewire_received_bytes_total"), 100);
    EXPECT_EQ(server.metric("pulsewire_connections_max"), 18'000);
}

}  // namespace
}  // namespace pulsewire
