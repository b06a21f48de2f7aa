// A server with a data folder, from outside.

#include "server/testing/running_server.hpp"
#include "server/testing/temporary_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pulsewire {
namespace {

using namespace testing;
using ::testing::HasSubstr;

config durable(const temporary_folder& folder) {
    config c = test_config();
    c.data = folder.path();
    c.namespaces["memory"].keeps = durability::memory;
    return c;
}

http_answer publish(std::uint16_t port, const std::string& channel, const std::string& body) {
    return ask(port, "POST", "/api/channels/" + channel + "/messages", body);
}

TEST(durable_server, goes_on_where_it_was_after_a_restart_with_other_threads) {
    const temporary_folder folder;
    std::string epoch;
    {
        running_server first(durable(folder));
        for (int i = 1; i <= 20; ++i) {
            const std::string n = std::to_string(i);
            const auto answer = publish(first.port(), "chat:" + n, R"({"payload":1,"key":"k"})");
            ASSERT_EQ(answer.status, 200) << answer.body;
        }
        auto ws = subscribed(first.port(), "chat:1");
        ws.send_text(R"({"op":"publish","id":3,"channel":"chat:1","type":"t","payload":2})");
        const std::string published = ws.line_with(R"("published")");
        EXPECT_THAT(published, HasSubstr(R"("offset":2)"));
        epoch = published.substr(published.find("epoch") + 8, 8);
        EXPECT_EQ(publish(first.port(), "memory:1", R"({"payload":1})").status, 200);
        EXPECT_GT(first.metric("pulsewire_storage_commits_total"), 0);
        EXPECT_EQ(first.metric("pulsewire_storage_failing"), 0);
    }
    config c = durable(folder);
    c.threads = 3;
    running_server second(c);
    auto ws = connected(second.port());
    ws.send_text(R"({"op":"subscribe","id":2,"channel":"chat:1","epoch":")" + epoch + R"(","offset":1})");
    EXPECT_THAT(ws.line_with(R"("subscribed")"), HasSubstr(R"("recovered":true)"));
    EXPECT_THAT(ws.line_with(R"("payload")"), HasSubstr(R"("payload":2)"));
    for (int i = 1; i <= 20; ++i) {
        const auto again = publish(second.port(), "chat:" + std::to_string(i), R"({"payload":9,"key":"k"})");
        EXPECT_THAT(again.body, HasSubstr(R"("offset":1)"));
    }
    const auto memory = ask(second.port(), "GET", "/api/channels/memory:1/messages").body;
    EXPECT_THAT(memory, HasSubstr(R"("messages":[])"));
}

TEST(durable_server, says_why_it_does_not_start) {
    const temporary_folder folder;
    running_server first(durable(folder));
    server second(durable(folder));
    try {
        second.start();
        FAIL();
    } catch (const std::runtime_error& e) {
        EXPECT_THAT(e.what(), HasSubstr("Another server uses this folder"));
    }
}

}  // namespace
}  // namespace pulsewire
