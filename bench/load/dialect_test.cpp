#include "bench/load/dialect.hpp"

#include <gtest/gtest.h>
#include <netinet/in.h>

#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "bench/load/connection.hpp"

namespace pulsewire::bench {
namespace {

constexpr std::size_t bytes = 64;

// Writes down what a dialect does.
struct script final : talk {
    explicit script(std::string_view name, filling filled_with = filling::letters)
        : speaks(make_dialect(name, bytes, filled_with)) {
        channel = "bench";
    }

    void say(std::string_view message) override { said.emplace_back(message); }
    void settled() override {
        is_settled = true;
        ++settlings;
    }
    void delivered(const stamp& s) override { sequences.push_back(s.sequence); }
    void find_deliveries(std::string_view text) override {
        finder.feed(text, [this](const stamp& s) { delivered(s); });
    }
    void refused(std::string_view words) override { refusals.emplace_back(words); }

    void receive(std::string_view message) { speaks->received(*this, message); }

    std::unique_ptr<dialect> speaks;
    stamp_finder finder;
    std::vector<std::string> said, refusals;
    std::vector<std::uint32_t> sequences;
    int settlings = 0;
};

std::string payload(std::uint32_t sequence, filling filled_with = filling::letters) {
    std::string text;
    append_payload(text, {0, sequence, 5}, bytes, filled_with);
    return text;
}

using sequences = std::vector<std::uint32_t>;

TEST(pulsewire_dialect, shows_its_token_in_the_connect) {
    script s("pulsewire");
    s.token = "a.b.c";
    s.speaks->opened(s);
    const std::string connect = s.said.at(0).substr(0, s.said.at(0).find('\n'));
    EXPECT_TRUE(connect.starts_with(R"({"op":"connect",)")) << connect;
    EXPECT_TRUE(connect.ends_with(R"(,"token":"a.b.c"})")) << connect;
}

TEST(pulsewire_dialect, is_settled_when_subscribed_and_counts_each_line_of_a_batch) {
    script s("pulsewire");
    s.speaks->opened(s);
    ASSERT_EQ(s.said.size(), 1u);
    EXPECT_NE(s.said[0].find(R"({"op":"subscribe","id":2,"channel":"bench"})"), std::string::npos);
    s.receive(R"({"op":"welcome","id":1})");
    EXPECT_EQ(s.settlings, 0);
    const auto line = [](std::uint32_t n) {
        return R"({"type":"bench","channel":"bench","offset":1,"time":1,"payload":)" + payload(n) + "}";
    };
    s.receive(
        "{\"op\":\"subscribed\",\"id\":2}\n" + line(0) + "\n" + line(1) +
        "\n{\"op\":\"published\",\"id\":9}\n" + line(2) + "\n"
    );
    EXPECT_EQ(s.settlings, 1);
    EXPECT_EQ(s.sequences, (sequences{0, 1, 2}));
}

TEST(pulsewire_bytes_dialect, says_that_it_takes_bytes_and_publishes_them_behind_their_line) {
    script s("pulsewire", filling::bytes);
    s.speaks->opened(s);
    EXPECT_NE(s.said.at(0).find(R"(,"binary":true})"), std::string::npos) << s.said[0];
    EXPECT_EQ(s.speaks->opcode(), websocket::opcode::text);
    EXPECT_EQ(s.speaks->publish_opcode(), websocket::opcode::binary);
    std::string out;
    s.speaks->append_publish(out, "bench", "a\nb", 10);
    EXPECT_EQ(
        out, "{\"op\":\"publish\",\"id\":10,\"channel\":\"bench\",\"type\":\"bench\",\"bytes\":3}\na\nb"
    );
}

TEST(pulsewire_bytes_dialect, finds_payloads_of_bytes_among_other_lines) {
    script s("pulsewire", filling::bytes);
    const auto publication = [](std::uint32_t n) {
        return R"({"type":"bench","channel":"bench","offset":1,"time":1,"bytes":)" + std::to_string(bytes) +
               "}\n" + payload(n, filling::bytes);
    };
    s.receive("{\"op\":\"subscribed\",\"id\":2}\n");
    s.receive(publication(0) + "{\"op\":\"published\",\"id\":9}\n" + publication(1) + publication(2));
    EXPECT_EQ(s.settlings, 1);
    EXPECT_EQ(s.sequences, (sequences{0, 1, 2}));
}

TEST(pulsewire_bytes_dialect, a_payload_that_is_cut_off_is_no_delivery) {
    script s("pulsewire", filling::bytes);
    s.receive(
        "{\"type\":\"bench\",\"channel\":\"bench\",\"bytes\":64}\n" + payload(0, filling::bytes).substr(0, 30)
    );
    EXPECT_TRUE(s.sequences.empty());
}

TEST(pulsewire_dialect, a_foreign_message_in_the_channel_is_no_delivery) {
    script s("pulsewire");
    s.receive(R"({"type":"chat","channel":"bench","offset":1,"time":1,"payload":{"text":"hi"}})");
    s.receive("{}");
    EXPECT_TRUE(s.sequences.empty());
}

TEST(pulsewire_dialect, answers_a_ping_and_tells_refusals_within_a_batch) {
    script s("pulsewire");
    s.receive(
        "{\"op\":\"ping\"}\n{\"op\":\"error\",\"id\":9,\"code\":\"rate_limited\"}\n{\"op\":\"gap\","
        "\"channel\":\"bench\"}"
    );
    EXPECT_EQ(s.said, (std::vector<std::string>{R"({"op":"pong"})"}));
    EXPECT_EQ(s.refusals.size(), 2u);
}

TEST(pulsewire_dialect, a_publisher_is_settled_by_the_welcome) {
    script s("pulsewire");
    s.as = part::publisher;
    s.speaks->opened(s);
    EXPECT_EQ(s.said[0].find("subscribe"), std::string::npos);
    s.receive(R"({"op":"welcome","id":1})");
    EXPECT_EQ(s.settlings, 1);
    std::string out;
    s.speaks->append_publish(out, "bench", "1", 10);
    EXPECT_EQ(out, R"({"op":"publish","id":10,"channel":"bench","type":"bench","payload":1})");
}

TEST(pulsewire_dialect, an_event_stream_is_settled_by_its_open_event) {
    const script s("pulsewire");
    EXPECT_FALSE(s.speaks->settles({}));
    EXPECT_FALSE(s.speaks->settles("retry: 2000\n"));
    EXPECT_TRUE(s.speaks->settles("retry: 2000\nevent: pulsewire.open\n"));
}

TEST(plain_dialect, needs_no_words_and_finds_what_frames_cut) {
    script s("plain");
    s.speaks->opened(s);
    EXPECT_EQ(s.settlings, 1);
    EXPECT_EQ(s.speaks->websocket_path(part::member, "a"), "/pubsub/a");
    s.receive(payload(4));
    EXPECT_EQ(s.sequences, (sequences{4}));
}

TEST(socket_io_dialect, goes_through_its_handshake_and_heartbeats) {
    script s("socket.io");
    s.speaks->opened(s);
    s.receive(R"(0{"sid":"x","pingInterval":25000})");
    s.receive(R"(40{"sid":"y"})");
    EXPECT_EQ(s.settlings, 0);
    s.receive("430[]");
    EXPECT_EQ(s.settlings, 1);
    s.receive("2");
    EXPECT_EQ(s.said, (std::vector<std::string>{"40", R"(420["subscribe","bench"])", "3"}));
    s.receive("42[\"message\"," + payload(8) + "]");
    EXPECT_EQ(s.sequences, (sequences{8}));
}

TEST(nats_dialect, finds_messages_across_frames) {
    script s("nats");
    s.speaks->opened(s);
    s.receive("INFO {}\r\n");
    EXPECT_EQ(s.settlings, 0);
    s.receive("PONG\r\n");
    EXPECT_EQ(s.settlings, 1);
    const std::string stream =
        "MSG bench 1 64\r\n" + payload(1) + "\r\nMSG bench 1 64\r\n" + payload(2) + "\r\nPING\r\n";
    s.receive(stream.substr(0, 100));
    s.receive(stream.substr(100));
    EXPECT_EQ(s.sequences, (sequences{1, 2}));
    EXPECT_EQ(s.said.back(), "PONG\r\n");
    std::string out;
    s.speaks->append_publish(out, "bench", "1234", 10);
    EXPECT_EQ(out, "PUB bench 4\r\n1234\r\n");
}

TEST(centrifugo_dialect, is_settled_by_the_answer_to_its_subscribe) {
    script s("centrifugo");
    s.speaks->opened(s);
    s.receive(R"({"id":1,"connect":{"client":"x"}})");
    EXPECT_EQ(s.settlings, 0);
    s.receive(
        "{\"id\":2,\"subscribe\":{}}\n{}\n{\"push\":{\"channel\":\"bench\",\"pub\":{\"data\":" + payload(3) +
        "}}}"
    );
    EXPECT_EQ(s.settlings, 1);
    EXPECT_EQ(s.said.back(), "{}");
    EXPECT_EQ(s.sequences, (sequences{3}));
}

TEST(pulsewire_dialect, an_acknowledgement_names_its_publish) {
    EXPECT_EQ(
        acknowledged_number(R"({"op":"published","id":4711,"channel":"a","epoch":"x","offset":9})"), 4711
    );
    EXPECT_EQ(acknowledged_number(R"({"op":"published","id":10})"), publish_number_min);
    EXPECT_EQ(acknowledged_number(R"({"op":"published","id":9})"), std::nullopt);
    EXPECT_EQ(acknowledged_number(R"({"op":"published","id":)"), std::nullopt);
    EXPECT_EQ(acknowledged_number(R"({"op":"subscribed","id":12})"), std::nullopt);
    EXPECT_EQ(acknowledged_number(R"({"type":"bench","payload":{"op":"published","id":12}})"), std::nullopt);
}

TEST(dialect, another_name_is_none) {
    EXPECT_EQ(make_dialect("irc", bytes, filling::letters), nullptr);
}

TEST(dialect, not_every_one_has_payloads_of_bytes) {
    EXPECT_EQ(script("plain").speaks->publish_opcode(), websocket::opcode::text);
    EXPECT_EQ(script("plain", filling::bytes).speaks->publish_opcode(), websocket::opcode::binary);
    EXPECT_EQ(make_dialect("socket.io", bytes, filling::bytes), nullptr);
    EXPECT_EQ(make_dialect("centrifugo", bytes, filling::bytes), nullptr);
}

TEST(target, is_read_from_a_url) {
    const target t = read_target("ws://127.0.0.1:8123/rt/");
    EXPECT_EQ(t.host, "127.0.0.1:8123");
    EXPECT_EQ(t.base, "/rt");
    EXPECT_NE(t.address_bytes, 0u);
    EXPECT_FALSE(t.secure);
    EXPECT_EQ(read_target("http://[::1]:80").host, "[::1]:80");
    const target secure = read_target("wss://[::1]");
    EXPECT_TRUE(secure.secure);
    EXPECT_EQ(secure.name, "::1") << "what the certificate must be for";
    EXPECT_EQ(reinterpret_cast<const sockaddr_in6&>(secure.address).sin6_port, htons(443));
}

TEST(target, says_what_is_wrong_with_a_url) {
    for (const char* wrong : {"", "127.0.0.1:80", "ftp://127.0.0.1", "ws://:"})
        EXPECT_THROW(read_target(wrong), std::runtime_error) << wrong;
}

}  // namespace
}  // namespace pulsewire::bench
