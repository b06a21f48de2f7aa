// A server with a data folder, from outside.

#include "server/testing/running_server.hpp"
#include "server/testing/temporary_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <chrono>
#include <filesystem>
#include <future>
#include <memory>

namespace pulsewire {
namespace {

struct farewell {
    std::string text;
};
PULSEWIRE_MESSAGE(farewell, "farewell", text)

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

TEST(durable_server, its_folder_and_files_are_for_its_user_alone) {
    const temporary_folder parent;
    config c = test_config();
    c.data = parent.path() + "/data";
    std::filesystem::create_directory(c.data);
    std::filesystem::permissions(c.data, std::filesystem::perms(0755));
    const mode_t before = ::umask(022);
    {
        running_server server(c);
        EXPECT_EQ(publish(server.port(), "chat:1", R"({"payload":1})").status, 200);
        const auto mode = [](const std::filesystem::path& p) {
            return std::filesystem::status(p).permissions() & std::filesystem::perms(0777);
        };
        EXPECT_EQ(mode(c.data), std::filesystem::perms(0700));
        int files = 0;
        for (const auto& file : std::filesystem::directory_iterator(c.data)) {
            ++files;
            EXPECT_EQ(mode(file.path()) & std::filesystem::perms(0077), std::filesystem::perms::none)
                << file.path();
        }
        EXPECT_GT(files, 3);
    }
    ::umask(before);
}

// The epoch is that of the folder, and says nothing about channels.
TEST(durable_server, a_cursor_of_other_channels_is_refused) {
    const temporary_folder folder;
    running_server server(durable(folder));
    EXPECT_EQ(publish(server.port(), "a", R"({"payload":1})").status, 200);
    EXPECT_EQ(publish(server.port(), "b", R"({"payload":1})").status, 200);
    client stream(server.port());
    stream.send("GET /events?channel=a HTTP/1.1\r\nHost: localhost\r\n\r\n");
    stream.read_until("id: ");
    std::string cursor = stream.read_until("\n");
    cursor.pop_back();
    const auto status = [&](const std::string& query) {
        client c(server.port());
        c.send(
            "GET /events" + query + " HTTP/1.1\r\nHost: localhost\r\nLast-Event-ID: " + cursor + "\r\n\r\n"
        );
        return read_answer(c).status;
    };
    EXPECT_EQ(status("?channel=a"), 200);
    EXPECT_EQ(status("?channel=a&channel=a"), 200);
    EXPECT_EQ(status("?channel=b"), 400);
    EXPECT_EQ(status("?channel=a&channel=b"), 400);
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
        const auto again = publish(second.port(), "chat:" + std::to_string(i), R"({"payload":1,"key":"k"})");
        EXPECT_THAT(again.body, HasSubstr(R"("offset":1)"));
    }
    const auto memory = ask(second.port(), "GET", "/api/channels/memory:1/messages").body;
    EXPECT_THAT(memory, HasSubstr(R"("messages":[])"));
}

TEST(durable_server, knows_after_a_restart_what_a_key_stands_for) {
    const temporary_folder folder;
    {
        running_server first(durable(folder));
        ASSERT_EQ(publish(first.port(), "chat:1", R"({"payload":1,"key":"k"})").status, 200);
    }
    running_server second(durable(folder));
    EXPECT_THAT(
        publish(second.port(), "chat:1", R"({"payload":1,"key":"k"})").body, HasSubstr(R"("offset":1)")
    );
    const auto other = publish(second.port(), "chat:1", R"({"payload":2,"key":"k"})");
    EXPECT_EQ(other.status, 409) << other.body;
    EXPECT_THAT(other.body, HasSubstr("key_reused"));
}

TEST(durable_server, keeps_the_newest_of_each_key_and_changes_it_for_whoever_has_seen_it) {  // protocol 4.32
    const temporary_folder folder;
    config c = durable(folder);
    c.namespaces["ticker"].keeps = durability::disk;
    c.namespaces["ticker"].state_bytes_max = 20'000;
    c.namespaces["ticker"].keyed = true;
    c.namespaces["ticker"].history_count_max = 5;
    {
        running_server first(c);
        publish(first.port(), "ticker:1", R"({"conflate":"quiet","payload":{"price":1}})");
        for (int i = 0; i < 200; ++i)
            publish(first.port(), "ticker:1", R"({"conflate":"loud","payload":)" + std::to_string(i) + "}");
    }
    running_server second(c);
    websocket_client ws = connected(second.port());
    ws.send_text(R"({"op":"subscribe","id":2,"channel":"ticker:1","state":true})");
    const std::string snapshot = ws.line_with(R"("type":"pulsewire.keyed")");
    EXPECT_THAT(snapshot, HasSubstr(R"("conflate":"quiet","payload":{"price":1})"));
    const auto late = publish(second.port(), "ticker:1", R"({"conflate":"quiet","payload":2,"if_offset":7})");
    EXPECT_EQ(late.status, 409);
    EXPECT_THAT(late.body, HasSubstr(R"("code":"conflict")"));
    EXPECT_THAT(late.body, HasSubstr(R"("offset":1})"));
    const auto seen = publish(second.port(), "ticker:1", R"({"conflate":"quiet","payload":2,"if_offset":1})");
    EXPECT_EQ(seen.status, 200) << seen.body;
    const auto bytes =
        ask(second.port(), "POST", "/api/channels/ticker:1/messages?conflate=quiet&if_offset=1", "bytes",
            "Content-Type: application/octet-stream\r\n");
    EXPECT_EQ(bytes.status, 409) << bytes.body;
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

// Its start() returns when the other one has ended.
TEST(durable_server, stands_by_until_the_folder_is_free_and_goes_on_where_the_other_was) {
    const temporary_folder folder;
    config c = durable(folder);
    c.standby = true;
    running_server first(c);
    EXPECT_EQ(publish(first.port(), "chat:1", R"({"payload":1,"key":"k"})").status, 200);
    auto second = std::async(std::launch::async, [&c] { return std::make_unique<running_server>(c); });
    EXPECT_EQ(second.wait_for(std::chrono::milliseconds(50)), std::future_status::timeout);
    EXPECT_EQ(first.stop(), 0);
    const auto standing_in = second.get();
    const auto again = publish(standing_in->port(), "chat:1", R"({"payload":1,"key":"k"})");
    EXPECT_THAT(again.body, HasSubstr(R"("offset":1)"));
}

TEST(durable_server, ends_at_once_while_it_stands_by) {
    const temporary_folder folder;
    config c = durable(folder);
    running_server first(c);
    c.standby = true;
    server second(c);
    auto code = std::async(std::launch::async, [&second] { return second.run(); });
    second.stop();
    EXPECT_EQ(code.get(), 0);
}

// A client that has gone without a word holds its connection for close_timeout_ms; the folder is free before.
TEST(durable_server, lets_go_of_the_folder_before_the_last_connection_has_ended) {
    const temporary_folder folder;
    config c = durable(folder);
    c.shell.close_timeout_ms = 60'000;
    running_server first(c);
    auto silent = subscribed(first.port(), "chat:1");
    c.standby = true;
    auto second = std::async(std::launch::async, [&c] { return std::make_unique<running_server>(c); });
    first->stop();
    EXPECT_EQ(second.wait_for(testing::patience), std::future_status::ready);
    EXPECT_EQ(silent.closed().code, 1012);
    silent.connection().send(std::string(websocket::close_frame(1012, {}, {1, 2, 3, 4}).view()));
    EXPECT_EQ(first.stop(), 0);
}

// Messages that handlers publish about the end are kept, too.
TEST(durable_server, keeps_what_handlers_publish_when_clients_are_sent_away) {
    const temporary_folder folder;
    {
        running_server first(durable(folder), [](server& s) {
            s.on_disconnect([&s](connection&) { s.publish("chat:ends", farewell{"gone"}); });
        });
        auto ws = subscribed(first.port(), "chat:1");
        first->stop();
        ws.line_with("\"close\"");
        ws.connection().send(std::string(websocket::close_frame(1012, {}, {1, 2, 3, 4}).view()));
        EXPECT_EQ(first.stop(), 0);
    }
    running_server second(durable(folder));
    const auto kept = ask(second.port(), "GET", "/api/channels/chat:ends/messages").body;
    EXPECT_THAT(kept, HasSubstr("gone"));
}

}  // namespace
}  // namespace pulsewire
