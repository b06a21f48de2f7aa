// The policies for subscribers that read too slowly, over real sockets and every transport (protocol 5.4).
// The queue itself is tested in server/net.

#include "server/testing/running_server.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace pulsewire {
namespace {

using namespace testing;
using websocket::event_kind;

config with_policies() {
    config c = test_config();
    c.bounds.commands_per_second = 0;
    c.shell.queue_bytes_max = 128 * 1024;
    c.namespaces["old"].slow_consumers = slow_consumer::drop_oldest;
    c.namespaces["key"].slow_consumers = slow_consumer::latest_per_key;
    return c;
}

constexpr std::size_t payload_bytes = 8'000;
constexpr int messages = 2'000;

// Publishes while somebody who keeps up reads along: everything, at once.
void flood(running_server& server, const std::string& channel, int keys) {
    auto good = subscribed(server.port(), channel, "good-session");
    auto publisher = connected(server.port(), "publisher-session");
    const std::string payload(payload_bytes, 'x');
    for (int i = 1; i <= messages; ++i) {
        publisher.send_text(
            R"({"op":"publish","id":)" + std::to_string(i + 10) + R"(,"channel":")" + channel +
            R"(","type":"t","conflate":"k)" + std::to_string(i % keys) + R"(","payload":")" + payload + "\"}"
        );
        const std::string heard = good.next_line();
        ASSERT_NE(heard.find("\"offset\":" + std::to_string(i) + ","), std::string::npos)
            << "one who keeps up misses nothing: " << heard.substr(0, 100);
    }
}

std::uint64_t offset_of(const std::string& line) {
    const std::size_t at = line.find("\"offset\":");
    return at == std::string::npos ? 0 : std::stoull(line.substr(at + 9));
}

// Reads up to the publication `last`; whatever does not come must have been told before the next one.
// Returns how many came.
int read_up_to(const std::function<std::string()>& next_line, std::uint64_t last, const std::string& reason) {
    std::uint64_t position = 0;
    int came = 0;
    while (position < last) {
        const std::string line = next_line();
        if (line.find("\"op\":\"gap\"") != std::string::npos) {
            EXPECT_NE(line.find("\"reason\":\"" + reason + "\""), std::string::npos) << line;
            EXPECT_GT(offset_of(line), position);
            position = offset_of(line);
        } else if (line.find("\"type\":\"t\"") != std::string::npos) {
            EXPECT_EQ(offset_of(line), position + 1);
            position = offset_of(line);
            ++came;
        } else if (line.empty()) {
            ADD_FAILURE() << "the connection ended at " << position;
            break;
        }
    }
    return came;
}

TEST(slow_consumer, drop_oldest_keeps_the_connection_and_tells_what_is_missing) {
    running_server server(with_policies());
    auto slow = subscribed(server.port(), "old:a", "slow-session", 4'096);
    flood(server, "old:a", 1);
    const int came = read_up_to([&] { return slow.next_line(); }, messages, "dropped");
    EXPECT_LT(came, messages);
    const double dropped = server.metric("pulsewire_queue_dropped_total{policy=\"drop_oldest\"}");
    EXPECT_EQ(dropped, messages - came);
    EXPECT_EQ(server.metric("pulsewire_slow_consumers_total"), 0);
    slow.send_text(R"({"op":"ping","id":9})");
    slow.line_with("\"pong\"");
}

TEST(slow_consumer, latest_per_key_brings_the_newest_of_each_key) {
    running_server server(with_policies());
    constexpr int keys = 5;
    auto slow = subscribed(server.port(), "key:a", "slow-session", 4'096);
    flood(server, "key:a", keys);
    const int came = read_up_to([&] { return slow.next_line(); }, messages - keys, "replaced");
    for (int i = messages - keys + 1; i <= messages; ++i)
        EXPECT_EQ(offset_of(slow.next_line()), static_cast<std::uint64_t>(i)) << "the newest of its key";
    EXPECT_EQ(
        server.metric("pulsewire_queue_dropped_total{policy=\"latest_per_key\"}"), messages - keys - came
    );
    EXPECT_EQ(server.metric("pulsewire_slow_consumers_total"), 0);
}

TEST(slow_consumer, over_sse) {
    running_server server(with_policies());
    client stream(server.port(), 4'096);
    stream.send("GET /sse HTTP/1.1\r\nHost: localhost\r\n\r\n");
    read_answer(stream);
    const std::string first = stream.read_until("\n\n");
    const std::size_t at = first.find("\"connection\":\"") + 14;
    const std::string secret = first.substr(at, first.find('"', at) - at);
    ASSERT_EQ(
        ask(server.port(), "POST", "/sse",
            "{\"op\":\"connect\",\"version\":1,\"session\":\"slow-session\"}\n"
            "{\"op\":\"subscribe\",\"id\":2,\"channel\":\"old:a\"}",
            "Pulsewire-Connection: " + secret + "\r\n")
            .status,
        204
    );
    stream.read_until("\"subscribed\"");
    flood(server, "old:a", 1);
    EXPECT_LT(read_up_to([&] { return stream.read_until("\n"); }, messages, "dropped"), messages);
}

// Protocol 8.4.5, 8.4.7: a cursor never claims what was dropped before it was told.
TEST(slow_consumer, plain_event_streams_tell_a_gap_and_keep_an_honest_cursor) {
    running_server server(with_policies());
    client stream(server.port(), 4'096);
    stream.send("GET /events?channel=old:a&channel=key:a HTTP/1.1\r\nHost: localhost\r\n\r\n");
    read_answer(stream);
    stream.read_until("pulsewire.open");
    stream.read_until("\n\n");
    flood(server, "key:a", 3);
    flood(server, "old:a", 1);
    std::uint64_t seen[2]{};  // by channel in the order of the cursor: key:a, old:a
    int gaps = 0;
    while (seen[1] < messages) {
        const std::string event = stream.read_until("\n\n");
        const std::size_t channel = event.find("\"channel\":\"old:a\"") != std::string::npos ? 1 : 0;
        // "id: 1.<mark>.<epoch>.<offset>.<epoch>.<offset>"
        const std::size_t id = event.find("id: 1.");
        ASSERT_NE(id, std::string::npos) << event.substr(0, 200);
        std::uint64_t cursor[2]{};
        std::size_t from = event.find('.', id + 6) + 1;
        for (std::uint64_t& offset : cursor) {
            from = event.find('.', from) + 1;
            offset = std::stoull(event.substr(from));
            from = event.find('.', from) + 1;
        }
        EXPECT_EQ(cursor[1 - channel], seen[1 - channel]) << "the other channel stays where it was";
        if (event.find("event: pulsewire.gap\n") != std::string::npos) {
            const std::string reason = channel == 1 ? "dropped" : "replaced";
            EXPECT_NE(event.find("\"recovered\":false,\"reason\":\"" + reason + "\""), std::string::npos)
                << event;
            EXPECT_GT(cursor[channel], seen[channel]);
            ++gaps;
        } else {
            EXPECT_EQ(offset_of(event), seen[channel] + 1);
            EXPECT_EQ(cursor[channel], offset_of(event));
        }
        seen[channel] = cursor[channel];
    }
    EXPECT_EQ(seen[0], static_cast<std::uint64_t>(messages));
    EXPECT_GT(gaps, 0);
}

// Protocol 10.1: raw text has no room for a marker; the newest come all the same.
TEST(slow_consumer, raw_text_goes_on_with_what_is_left) {
    running_server server(with_policies());
    websocket_client slow(server.port(), "/ws/plain/old:a", "", 4'096);
    server.wait_for("pulsewire_subscriptions", 1);
    flood(server, "old:a", 1);
    ASSERT_EQ(
        ask(server.port(), "POST", "/api/channels/old:a/messages", R"({"payload":"the last one"})").status,
        200
    );
    int came = 0;
    websocket_client::received text;
    do {
        text = slow.next();
        ASSERT_EQ(text.kind, event_kind::text);
        ++came;
    } while (text.data != "the last one");
    EXPECT_LT(came, messages);
    EXPECT_EQ(server.metric("pulsewire_slow_consumers_total"), 0);
}

// One connection with channels of every policy: what may not be dropped still ends it when it is too much.
TEST(slow_consumer, a_policy_does_not_protect_the_channels_of_others) {
    running_server server(with_policies());
    auto slow = subscribed(server.port(), "old:a", "slow-session", 4'096);
    slow.send_text(R"({"op":"subscribe","id":3,"channel":"strict:a"})");
    slow.line_with("\"subscribed\"");
    flood(server, "old:a", 1);
    EXPECT_EQ(server.metric("pulsewire_slow_consumers_total"), 0);
    flood(server, "strict:a", 1);
    server.wait_for("pulsewire_slow_consumers_total", 1);
    EXPECT_EQ(slow.closed().code, 4000);
}

// The application's publications are conflated like those of clients.
TEST(slow_consumer, a_key_is_given_by_a_program_or_over_http) {
    running_server server(with_policies());
    auto c = subscribed(server.port(), "key:a");
    ASSERT_EQ(
        ask(server.port(), "POST", "/api/channels/key:a/messages", R"({"payload":1,"conflate":"AAPL"})")
            .status,
        200
    );
    EXPECT_NE(c.line_with("\"offset\":1,").find(R"("conflate":"AAPL")"), std::string::npos);
    ASSERT_EQ(
        ask(server.port(), "POST", "/api/channels/key:a/messages", R"({"payload":1,"conflate":"a b"})")
            .status,
        400
    );
}

// Sums are bounded, too: what waits for all slow readers together.
TEST(slow_consumer, the_slowest_go_first_when_all_together_are_too_much) {
    config c = with_policies();
    c.threads = 1;
    c.shell.queue_bytes_max = 100'000'000;
    c.shell.waiting_bytes_total_max = 40'000'000;
    running_server server(std::move(c));
    auto slow = subscribed(server.port(), "a", "slow-session", 4'096);
    auto slower = subscribed(server.port(), "a", "slower-session", 4'096);
    for (const std::string channel : {"b", "c"}) {
        slower.send_text(R"({"op":"subscribe","id":3,"channel":")" + channel + "\"}");
        slower.line_with("\"subscribed\"");
    }
    flood(server, "a", 1);
    flood(server, "b", 1);
    EXPECT_EQ(server.metric("pulsewire_waiting_cuts_total"), 0) << "16 MB each, and the first counts once";
    flood(server, "c", 1);
    EXPECT_EQ(server.metric("pulsewire_waiting_cuts_total"), 1);
    EXPECT_EQ(server.metric("pulsewire_slow_consumers_total"), 1);
    EXPECT_LE(server.metric("pulsewire_waiting_bytes"), 20'000'000);
    EXPECT_EQ(slower.closed().code, 4000);
    for (int i = 1; i <= messages; ++i)
        ASSERT_EQ(offset_of(slow.next_line()), static_cast<std::uint64_t>(i)) << "the other goes on";
}

// One text for many counts once: what is published to a crowd cuts nobody.
TEST(slow_consumer, a_burst_to_many_is_not_the_sum_of_its_readers) {
    config c = with_policies();
    c.threads = 1;
    c.shell.waiting_bytes_total_max = 2'000'000;
    c.bounds.message_bytes_max = 1'000'000;
    running_server server(std::move(c));
    std::vector<std::unique_ptr<websocket_client>> crowd;
    for (int i = 0; i < 100; ++i)
        crowd.push_back(std::make_unique<websocket_client>(
            subscribed(server.port(), "a", "session-" + std::to_string(i), 4'096)
        ));
    const std::string payload(900'000, 'x');
    ASSERT_EQ(
        ask(server.port(), "POST", "/api/channels/a/messages", "{\"payload\":\"" + payload + "\"}").status,
        200
    );
    for (const auto& each : crowd) EXPECT_NE(each->line_with("\"offset\":1,"), "");
    EXPECT_EQ(server.metric("pulsewire_waiting_cuts_total"), 0);
    EXPECT_EQ(server.metric("pulsewire_slow_consumers_total"), 0);
}

}  // namespace
}  // namespace pulsewire
