// SIGHUP and server::reload() read flags, environment and config file again.

#include "server/config/reload.hpp"
#include "server/testing/client.hpp"
#include "server/testing/recorded_log.hpp"
#include "server/testing/running_server.hpp"
#include "server/testing/temporary_folder.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <thread>

namespace pulsewire {
namespace {

using namespace testing;

class settings_reload : public ::testing::Test {
protected:
    ~settings_reload() override { shell::forget_command_line(); }

    void write(const std::string& text) const { std::ofstream(path_) << text; }
    // As a program does it that then changes settings by itself.
    config read() const {
        std::string program = "pulsewired", flag = "--config", path = path_;
        char* arguments[] = {program.data(), flag.data(), path.data(), nullptr};
        config c = config::from_command_line(3, arguments);
        c.port = 0;
        c.threads = 2;
        c.handle_signals = false;
        c.print_start = false;
        return c;
    }
    static int status(const running_server& server, const std::string& fields) {
        return ask(server.port(), "GET", "/api/channels/a/messages", {}, fields).status;
    }

private:
    temporary_folder folder_;
    std::string path_ = folder_.path() + "/pulsewire.json";
};

const std::string from_shop = "Origin: https://shop.example\r\n";

TEST_F(settings_reload, origins_and_keys_change_while_the_server_runs) {
    recorded_log log;
    write(R"({"allowed_origins": []})");
    running_server server(read());
    EXPECT_EQ(status(server, from_shop), 403);
    write(
        R"({"allowed_origins": ["https://shop.example"], "api_keys": [{"name": "ci", "key": "the-new-key"}]})"
    );
    server->reload();
    ASSERT_NE(log.line_with("new values hold for allowed_origins"), "");
    EXPECT_EQ(status(server, from_shop), 401);
    EXPECT_EQ(status(server, from_shop + "Authorization: Bearer the-new-key\r\n"), 200);
    write(R"({"allowed_origins": []})");
    server->reload();
    while (log.count_with("new values hold for allowed_origins") < 2) std::this_thread::yield();
    EXPECT_EQ(status(server, from_shop), 403);
    EXPECT_EQ(status(server, {}), 200);
}

TEST_F(settings_reload, a_faulty_file_is_refused_as_a_whole) {
    recorded_log log;
    write(R"({"allowed_origins": ["https://shop.example"]})");
    running_server server(read());
    write(R"({"allowed_origins": [], "no_such_setting": 1})");
    server->reload();
    const std::string warning = log.line_with("stay in use");
    EXPECT_NE(warning.find("no_such_setting"), std::string::npos) << warning;
    EXPECT_EQ(status(server, from_shop), 200);
}

TEST_F(settings_reload, what_needs_a_restart_is_named_and_stays) {
    recorded_log log;
    write("{}");
    running_server server(read());
    write(R"({"queue_bytes_max": 7, "namespaces": {"chat": {"state_bytes_max": 1000}}})");
    server->reload();
    const std::string warning = log.line_with("after a restart");
    EXPECT_NE(warning.find("queue_bytes_max"), std::string::npos) << warning;
    EXPECT_NE(warning.find("namespaces"), std::string::npos) << warning;
    EXPECT_EQ(ask(server.port(), "GET", "/healthz").status, 200);
}

TEST_F(settings_reload, namespaces_change_for_channels_and_clients_that_are_there) {
    recorded_log log;
    write("{}");
    running_server server(read());
    const auto kept = [&] { return ask(server.port(), "GET", "/api/channels/chat:1/messages").body; };
    websocket_client reader = connected(server.port(), "reader-session");
    reader.send_text(R"({"op":"subscribe","id":2,"channel":"chat:1"})"
                     "\n"
                     R"({"op":"subscribe","id":3,"channel":"news:1"})");
    reader.line_with("\"id\":3");
    for (int i = 0; i < 5; ++i)
        reader.send_text(R"({"op":"publish","id":4,"channel":"chat:1","type":"t","payload":"kept"})");
    for (int i = 0; i < 5; ++i) reader.line_with("\"published\"");
    EXPECT_NE(kept().find("\"offset\":2,"), std::string::npos);
    write(R"({"namespaces": {"chat": {"client_publish": false, "history_count_max": 1},
                            "news": {"allow": {"anonymous": []}}}})");
    server->reload();
    ASSERT_NE(log.line_with("new values hold for namespaces/chat, namespaces/news"), "");
    // What is not permitted any more ends at once.
    EXPECT_NE(
        reader.line_with("\"unsubscribed\"").find("\"news:1\",\"reason\":\"forbidden\""), std::string::npos
    );
    reader.send_text(R"({"op":"publish","id":5,"channel":"chat:1","type":"t","payload":1})");
    EXPECT_NE(reader.line_with("\"id\":5").find("\"forbidden\""), std::string::npos);
    EXPECT_EQ(kept().find("\"offset\":2,"), std::string::npos);
    EXPECT_NE(kept().find("\"offset\":5,"), std::string::npos);
    // And back: the namespaces are as the default again.
    write("{}");
    server->reload();
    while (log.count_with("new values hold for namespaces/chat, namespaces/news") < 2)
        std::this_thread::yield();
    // One after the other: the channels may have different owners, which answer in any order.
    reader.send_text(R"({"op":"publish","id":6,"channel":"chat:1","type":"t","payload":1})");
    EXPECT_NE(reader.line_with("\"id\":6").find("\"published\""), std::string::npos);
    reader.send_text(R"({"op":"subscribe","id":7,"channel":"news:1"})");
    EXPECT_NE(reader.line_with("\"id\":7").find("\"subscribed\""), std::string::npos);
}

TEST_F(settings_reload, limits_change_while_the_server_runs) {
    recorded_log log;
    write("{}");
    running_server server(read());
    for (int i = 0; i < 5; ++i) EXPECT_EQ(status(server, {}), 200);
    write(R"({"connections_max": 50, "requests_per_address_per_second": 1})");
    server->reload();
    ASSERT_NE(log.line_with("new values hold for"), "");
    int refused = 0;
    for (int i = 0; i < 5; ++i) refused += status(server, {}) == 429;
    EXPECT_GE(refused, 1);
    write(R"({"connections_max": 50})");
    server->reload();
    while (log.count_with("new values hold for") < 2) std::this_thread::yield();
    EXPECT_EQ(status(server, {}), 200);
    EXPECT_EQ(server.metric("pulsewire_connections_max"), 50);
}

TEST_F(settings_reload, the_log_says_more_or_less) {
    recorded_log log;
    write("{}");
    running_server server(read());
    write(R"({"log_level": "debug"})");
    server->reload();
    ASSERT_NE(log.line_with("new values hold for log_level"), "");
    const client visitor(server.port());
    EXPECT_NE(log.line_with("opened from"), "");
}

}  // namespace
}  // namespace pulsewire
