#include "server/endpoint/probes.hpp"

#include "server/testing/running_server.hpp"

#include <gtest/gtest.h>

namespace pulsewire::shell {
namespace {

using namespace testing;

TEST(probes, a_server_that_serves_is_alive_and_ready) {
    running_server server;
    EXPECT_EQ(ask(server.port(), "GET", "/livez").body, "alive\n");
    const auto answer = ask(server.port(), "GET", "/readyz");
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, "ready\n");
    EXPECT_EQ(answer.field("Cache-Control"), "no-store");
    EXPECT_EQ(ask(server.port(), "POST", "/readyz").status, 405);
}

TEST(probes, a_server_that_drains_is_alive_and_not_ready) {
    config c = test_config(1);
    c.shell.drain_delay_ms = 60'000;
    c.shell.shutdown_timeout_ms = 1'000;
    running_server server(c);
    server->stop();
    http_answer answer;
    for (int i = 0; i < 10'000 && answer.status != 503; ++i) answer = ask(server.port(), "GET", "/readyz");
    EXPECT_EQ(answer.status, 503);
    EXPECT_EQ(answer.body, "draining: this server is about to end and sends its clients away\n");
    EXPECT_EQ(ask(server.port(), "GET", "/livez").status, 200);
    EXPECT_EQ(server.stop(), 0);
}

TEST(probes, they_answer_under_every_name_and_past_the_base_path) {
    config c = test_config(1);
    c.base_path = "/realtime";
    c.allowed_hosts = {"rt.example.com"};
    running_server server(c);
    for (const std::string path : {"/livez", "/readyz", "/realtime/livez", "/realtime/readyz"}) {
        client by_address(server.port());
        by_address.send("GET " + path + " HTTP/1.1\r\nHost: 10.0.0.7:8080\r\n\r\n");
        EXPECT_EQ(read_answer(by_address).status, 200) << path;
    }
}

TEST(probes, a_server_without_room_is_alive_and_not_ready) {
    config c = test_config(1);
    c.shell.connections_max = 1;
    running_server server(c);
    auto takes_the_place = connected(server.port());
    EXPECT_EQ(ask(server.port(), "GET", "/livez").status, 200);
    EXPECT_EQ(ask(server.port(), "GET", "/readyz").status, 503);
}

TEST(probes, a_disk_that_refuses_writes_makes_a_server_unready_only) {
    const probe_facts failing{.draining = false, .storage_failing = true};
    EXPECT_EQ(ready(failing).status, 503);
    EXPECT_NE(ready(failing).body.find("data folder"), std::string::npos);
    EXPECT_EQ(health(failing).status, 200);
    EXPECT_EQ(live().status, 200);
}

}  // namespace
}  // namespace pulsewire::shell
