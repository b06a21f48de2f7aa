// Two servers that share a real Redis, as clients, programs and operators see them.

#include "server/testing/recorded_log.hpp"
#include "server/testing/redis_process.hpp"
#include "server/testing/running_server.hpp"
#include "server/testing/token.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <atomic>
#include <functional>
#include <string>
#include <thread>

namespace pulsewire {
namespace {

using namespace testing;
using nlohmann::json;

class nodes_of_redis : public ::testing::Test {
protected:
    void SetUp() override {
        if (!is_installed("redis-server")) GTEST_SKIP() << "redis-server is not installed";
        redis.emplace(std::vector<std::string>{"--appendonly", "yes", "--appendfsync", "always"});
    }
    config shared(config c = test_config()) {
        c.broker = "redis://" + redis->at();
        c.broker_partitions = 4;
        return c;
    }
    static json cluster(const running_server& s) {
        return json::parse(ask(s.port(), "GET", "/api/cluster").body);
    }
    static bool is_ready(const running_server& s) { return ask(s.port(), "GET", "/readyz").status == 200; }
    static void wait_for_nodes(const running_server& s, int nodes) {
        EXPECT_TRUE(eventually([&] { return is_ready(s) && cluster(s)["nodes"] == nodes; }))
            << cluster(s).dump(1);
    }
    static http_answer publish(const running_server& s, const std::string& text) {
        return ask(
            s.port(), "POST", "/api/channels/room/messages", R"({"type":"t","payload":")" + text + "\"}"
        );
    }

    std::optional<redis_process> redis;
};

TEST_F(nodes_of_redis, a_message_published_at_one_is_heard_at_the_other) {
    running_server one(shared()), two(shared());
    wait_for_nodes(one, 2);
    auto ann = subscribed(one.port(), "room", "session-of-ann"), bob = subscribed(two.port(), "room");
    EXPECT_EQ(publish(two, "from two").status, 200);
    ann.send_text(R"({"op":"publish","id":9,"channel":"room","type":"t","payload":"from one"})");
    for (auto* heard : {&ann, &bob}) {
        EXPECT_NE(heard->line_with("from two").find(R"("offset":1)"), std::string::npos);
        EXPECT_NE(heard->line_with("from one").find(R"("offset":2)"), std::string::npos);
    }
    EXPECT_NE(ann.line_with(R"("op":"published","id":9)").find(R"("offset":2)"), std::string::npos);
    EXPECT_EQ(
        json::parse(ask(one.port(), "GET", "/api/channels/room/messages").body)["messages"],
        json::parse(ask(two.port(), "GET", "/api/channels/room/messages").body)["messages"]
    );
}

// docs/streams.md: the order of the log says what came before the end.
TEST_F(nodes_of_redis, a_stream_is_one_at_both) {
    config c = shared();
    c.streams = "stream";
    running_server one(c), two(c);
    wait_for_nodes(one, 2);
    const std::string type = "Content-Type: application/json\r\n";
    EXPECT_EQ(ask(one.port(), "PUT", "/streams/a", {}, type).status, 201);
    EXPECT_EQ(ask(two.port(), "PUT", "/streams/a", {}, type).status, 200);
    std::atomic<int> taken{0};
    const auto write = [&](const running_server& s) {
        client c(s.port());
        int status = 204;
        while ((status = ask(c, "POST", "/streams/a", "1", type).status) == 204) ++taken;
        EXPECT_EQ(status, 409);
    };
    std::thread at_one(write, std::ref(one)), at_two(write, std::ref(two));
    while (taken < 10) std::this_thread::yield();
    EXPECT_EQ(ask(two.port(), "POST", "/streams/a", {}, "Stream-Closed: true\r\n").status, 204);
    at_one.join();
    at_two.join();
    const auto read = [](const running_server& s) { return ask(s.port(), "GET", "/streams/a"); };
    // Which copies are behind, nobody was told.
    EXPECT_TRUE(eventually([&] {
        return read(one).field("Stream-Closed") == "true" && read(two).field("Stream-Closed") == "true";
    }));
    EXPECT_EQ(read(one).body, read(two).body);
    const std::string all = read(one).body;
    EXPECT_EQ(std::count(all.begin(), all.end(), '1'), taken);
    EXPECT_EQ(read(one).field("Stream-Next-Offset"), read(two).field("Stream-Next-Offset"));
    // One that comes later reads it from the log.
    running_server three(c);
    wait_for_nodes(three, 3);
    EXPECT_EQ(read(three).body, all);
    EXPECT_EQ(ask(three.port(), "DELETE", "/streams/a").status, 204);
    EXPECT_TRUE(eventually([&] { return read(one).status == 404 && read(two).status == 404; }));
}

// The operator is told why, from the first start on; clients, who may be anybody, not where the broker is.
TEST_F(nodes_of_redis, why_the_broker_never_answered_is_told_to_the_operator_alone) {
    config c = shared();
    const std::string nobody = "127.0.0.1:" + std::to_string(free_port());
    c.broker = "redis://" + nobody;
    c.log_level = "warning";
    recorded_log logged;
    running_server one(c);
    auto ann = connected(client(one.port()), "session-of-ann");
    const std::string told = ann.line_with(R"("op":"degraded")");
    EXPECT_NE(told.find("does not reach its broker"), std::string::npos) << told;
    EXPECT_EQ(told.find("127.0.0.1"), std::string::npos) << told;
    const auto names_it = [&] { return cluster(one).dump().find(nobody) != std::string::npos; };
    EXPECT_TRUE(eventually(names_it)) << cluster(one).dump(1);
    EXPECT_NE(logged.line_with("the shared log does not go on").find(nobody), std::string::npos);
}

TEST_F(nodes_of_redis, a_plain_event_stream_goes_on_at_the_other) {
    running_server one(shared()), two(shared());
    wait_for_nodes(one, 2);
    EXPECT_EQ(publish(one, "before").status, 200);
    client here(one.port());
    here.send("GET /events?channel=room&latest=1 HTTP/1.1\r\nHost: localhost\r\n\r\n");
    here.read_until("\"before\"");
    here.reset();
    client history(one.port());
    history.send("GET /events?channel=room HTTP/1.1\r\nHost: localhost\r\n\r\n");
    const std::string head = history.read_until("\ndata:");
    const std::size_t at = head.find("id: ") + 4;
    const std::string cursor = head.substr(at, head.find('\n', at) - at);
    EXPECT_EQ(publish(two, "meanwhile").status, 200);
    client there(two.port());
    there.send(
        "GET /events?channel=room HTTP/1.1\r\nHost: localhost\r\nLast-Event-ID: " + cursor + "\r\n\r\n"
    );
    const std::string heard = there.read_until("\"meanwhile\"");
    EXPECT_EQ(heard.find("pulsewire.gap"), std::string::npos) << heard;
}

TEST_F(nodes_of_redis, any_of_them_takes_the_posts_of_a_stream) {
    running_server one(shared()), two(shared(test_config(3)));
    wait_for_nodes(one, 2);
    wait_for_nodes(two, 2);
    client stream(one.port());
    stream.send("GET /sse HTTP/1.1\r\nHost: localhost\r\n\r\n");
    const std::string first = stream.read_until("\"}\n\n");
    const std::size_t at = first.find("\"connection\":\"") + 14;
    const std::string name = first.substr(at, first.find('"', at) - at);
    const auto post = [&](const std::string& connection, const std::string& lines) {
        return ask(two.port(), "POST", "/sse", lines, "Pulsewire-Connection: " + connection + "\r\n");
    };
    EXPECT_EQ(post(name, R"({"op":"connect","id":1,"version":1,"session":"session-of-ann"})").status, 204);
    stream.read_until("\"welcome\"");
    EXPECT_EQ(
        post(name, R"({"op":"publish","id":2,"channel":"room","type":"t","payload":"hi"})").status, 204
    );
    stream.read_until(R"("op":"published","id":2)");
    // A name that nobody gave, of the living process and of none.
    EXPECT_EQ(post(name + "x", R"({"op":"ping","id":3})").status, 404);
    EXPECT_EQ(post("0.12345.abcdef", R"({"op":"ping","id":3})").status, 404);
    EXPECT_EQ(post("0.abcdef", R"({"op":"ping","id":3})").status, 404);
}

TEST_F(nodes_of_redis, who_is_disconnected_at_one_is_so_at_the_other) {
    config c = asking(shared());
    c.api_key = "an-api-key-of-the-test";
    running_server one(c), two(c);
    EXPECT_TRUE(eventually([&] { return is_ready(one) && is_ready(two); }));
    const std::string token = token_for("ann", R"({"**":["subscribe"]})");
    websocket_client ann(two.port(), "/ws", "pulsewire.v1");
    ann.send_text(
        R"({"op":"connect","id":1,"version":1,"session":"session-of-ann","token":")" + token + "\"}"
    );
    ann.line_with("\"welcome\"");
    const std::string key = "Authorization: Bearer an-api-key-of-the-test\r\n";
    EXPECT_EQ(ask(one.port(), "POST", "/api/revocations", R"({"user":"ann"})", key).status, 204);
    EXPECT_EQ(ann.closed().code, 4004);
    websocket_client again(two.port(), "/ws", "pulsewire.v1");
    again.send_text(
        R"({"op":"connect","id":1,"version":1,"session":"session-of-ann","token":")" + token + "\"}"
    );
    EXPECT_NE(again.closed().code, 0) << "the token counts no more at the other node, too";
}

TEST_F(nodes_of_redis, a_broker_that_is_away_is_told_and_heals) {
    running_server one(shared()), two(shared());
    wait_for_nodes(one, 2);
    auto ann = subscribed(two.port(), "room");
    redis->kill();
    ann.line_with(R"({"op":"degraded","message":")");
    EXPECT_TRUE(cluster(one)["degraded"].get<bool>() || eventually([&] {
                    return cluster(one)["degraded"] == true;
                }));
    EXPECT_TRUE(is_ready(one)) << "no other server is better off";
    redis->start();
    ann.line_with(R"({"op":"restored"})");
    EXPECT_EQ(publish(one, "after").status, 200);
    ann.line_with("\"after\"");
}

TEST_F(nodes_of_redis, one_with_other_options_does_not_join) {
    running_server one(shared());
    wait_for_nodes(one, 1);
    config other = shared();
    other.default_namespace.history_count_max = 7;
    running_server two(other);
    EXPECT_TRUE(eventually([&] {
        const json told = cluster(two);
        return told["degraded"] == true &&
               told["partitions"][0].value("reason", "").find("differ") != std::string::npos;
    })) << cluster(two).dump(1);
    EXPECT_FALSE(is_ready(two));
    EXPECT_EQ(publish(one, "goes on").status, 200);
}

TEST_F(nodes_of_redis, one_that_starts_later_knows_what_was_before) {
    running_server one(shared());
    wait_for_nodes(one, 1);
    for (int i = 0; i < 20; ++i) EXPECT_EQ(publish(one, std::to_string(i)).status, 200);
    running_server two(shared());
    wait_for_nodes(two, 2);
    EXPECT_EQ(json::parse(ask(two.port(), "GET", "/api/channels/room/messages").body)["offset"], 20);
}

TEST(nodes, a_server_that_is_alone_has_no_cluster_to_show) {
    running_server alone;
    const auto answer = ask(alone.port(), "GET", "/api/cluster");
    EXPECT_EQ(answer.status, 404);
    EXPECT_NE(answer.body.find("--broker"), std::string::npos) << answer.body;
}

}  // namespace
}  // namespace pulsewire
