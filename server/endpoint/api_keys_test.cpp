// API keys that are for some channels only, at a running server (protocol 11.5).

#include "server/testing/recorded_log.hpp"
#include "server/testing/running_server.hpp"
#include "server/testing/temporary_folder.hpp"
#include "server/testing/token.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <string>

namespace pulsewire {
namespace {

using namespace testing;

std::string bearer(const std::string& key) {
    return "Authorization: Bearer " + key + "\r\n";
}

const std::string ci = bearer("the-key-of-ci"), all = bearer("the-key-of-all");

// Everything is allowed to everybody, by the namespaces.
config settings() {
    config c = test_config();
    access::grants news;
    EXPECT_EQ(news.add("news:**", operation::publish), "");
    c.api_keys = {{"ci", "the-key-of-ci", news}, {"all", "the-key-of-all", {}}};
    return c;
}

http_answer publish(running_server& server, const std::string& channel, const std::string& key) {
    return ask(
        server.port(), "POST", "/api/channels/" + channel + "/messages", R"({"payload":1,"user":"ann"})", key
    );
}

http_answer read(running_server& server, const std::string& path, const std::string& key) {
    return ask(server.port(), "GET", path, {}, key);
}

TEST(keys_for_some_channels, do_what_they_are_for_and_nothing_else) {
    for (const bool asks : {false, true}) {
        running_server server(asks ? asking(settings()) : settings());
        EXPECT_EQ(publish(server, "news:1", ci).status, 200);
        EXPECT_EQ(publish(server, "chat:1", ci).status, 403);
        EXPECT_EQ(read(server, "/api/channels/news:1/messages", ci).status, 403);
        EXPECT_EQ(read(server, "/api/channels/news:1/presence", ci).status, 403);
        const auto history = read(server, "/api/channels/news:1/messages", all);
        EXPECT_NE(history.body.find(R"("user":"ann")"), std::string::npos) << "it says who published";
        EXPECT_EQ(read(server, "/api/channels/news:1/presence", all).status, 200);
        EXPECT_EQ(publish(server, "news:1", {}).status, 401);
    }
}

TEST(keys_for_some_channels, are_told_the_same_of_a_channel_that_exists_and_of_one_that_does_not) {
    running_server server(settings());
    ASSERT_EQ(publish(server, "chat:1", all).status, 200);
    const auto known = publish(server, "chat:1", ci), unknown = publish(server, "chat:2", ci);
    EXPECT_EQ(known.status, 403);
    EXPECT_NE(known.body.find("\"forbidden\""), std::string::npos);
    EXPECT_EQ(known.body, unknown.body);
    EXPECT_EQ(
        read(server, "/api/channels/chat:1/messages", ci).body,
        read(server, "/api/channels/chat:2/messages", ci).body
    );
    client metrics(server.port());
    const std::string text = read(server, "/metrics", all).body;
    EXPECT_NE(text.find("\npulsewire_channels 1\n"), std::string::npos) << "no channel was made";
}

TEST(keys_for_some_channels, administer_nothing) {
    recorded_log log;
    config c = asking(settings());
    c.log_level = "info";
    running_server server(c);
    const auto post = [&](const std::string& path, const std::string& body, const std::string& key) {
        return ask(server.port(), "POST", path, body, key).status;
    };
    EXPECT_EQ(post("/api/revocations", R"({"user":"ann"})", ci), 403);
    EXPECT_EQ(post("/api/users/ann/disconnect", {}, ci), 403);
    EXPECT_EQ(post("/api/tickets", R"({"user":"ann","allow":{"**":["publish"]}})", ci), 403);
    EXPECT_EQ(read(server, "/metrics", ci).status, 403);
    EXPECT_NE(log.line_with("/metrics by the API key ci"), "");
    EXPECT_EQ(post("/api/revocations", R"({"user":"ann"})", all), 204);
    EXPECT_EQ(post("/api/tickets", R"({"user":"bob"})", all), 200);
    EXPECT_EQ(read(server, "/metrics", all).status, 200);
}

TEST(keys_for_some_channels, are_the_same_over_websocket) {
    running_server server(asking(settings()));
    websocket_client c(server.port(), "/ws", "pulsewire.v1", 0, ci);
    c.send_text(R"({"op":"connect","id":1,"version":1,"session":"session-of-a-test"})"
                "\n"
                R"({"op":"publish","id":2,"channel":"news:1","type":"t","payload":1})");
    EXPECT_NE(c.line_with("\"id\":2").find("\"published\""), std::string::npos);
    c.send_text(R"({"op":"subscribe","id":3,"channel":"news:1"})");
    EXPECT_NE(c.line_with("\"id\":3").find("forbidden"), std::string::npos);
}

TEST(keys_for_some_channels, are_exchanged_by_two_that_count_at_once) {
    const temporary_folder folder;
    const std::string path = folder.path() + "/keys";
    recorded_log log;
    config c = test_config();
    c.log_level = "info";
    c.api_key_file = path;
    std::ofstream(path) << "ci first-key news:**=publish\n";
    running_server server(c);
    EXPECT_EQ(publish(server, "news:1", bearer("first-key")).status, 200);
    std::ofstream(path) << "ci first-key news:**=publish\nci second-key news:**=publish\n";
    server->reload();
    ASSERT_NE(log.line_with("the API takes 2 keys"), "");
    EXPECT_EQ(publish(server, "news:1", bearer("first-key")).status, 200);
    EXPECT_EQ(publish(server, "news:1", bearer("second-key")).status, 200);
    EXPECT_EQ(publish(server, "chat:1", bearer("second-key")).status, 403);
    std::ofstream(path) << "ci second-key news:**=publish\n";
    server->reload();
    ASSERT_NE(log.line_with("the API takes 1 key "), "");
    EXPECT_EQ(publish(server, "news:1", bearer("first-key")).status, 401);
}

}  // namespace
}  // namespace pulsewire
