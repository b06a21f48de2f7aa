#include "server/shard/mail_load.hpp"

#include "server/testing/lone_shard.hpp"
#include "server/testing/running_server.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace pulsewire {
namespace {

using namespace testing;

TEST(mail_load, there_is_room_up_to_the_bound_and_again_when_some_is_received) {
    shell::mail_load mail(100);
    mail.posted(100);
    EXPECT_TRUE(mail.has_room());
    mail.posted(1);
    EXPECT_FALSE(mail.has_room());
    EXPECT_EQ(mail.bytes(), 101u);
    EXPECT_FALSE(mail.received(1)) << "not yet half";
    EXPECT_TRUE(mail.has_room());
}

TEST(mail_load, who_waits_is_told_once_when_half_is_received) {
    shell::mail_load mail(100);
    mail.posted(60);
    mail.posted(60);
    EXPECT_FALSE(mail.received(60));
    EXPECT_TRUE(mail.received(30));
    EXPECT_FALSE(mail.received(30));
    EXPECT_EQ(mail.bytes(), 0u);
}

TEST(mail_load, a_pause_counts_once_however_much_follows) {
    shell::mail_load mail(100);
    mail.posted(150);
    mail.posted(150);
    EXPECT_EQ(mail.pauses(), 1u);
    EXPECT_TRUE(mail.received(300));
    mail.posted(101);
    EXPECT_EQ(mail.pauses(), 2u);
}

TEST(mail_load, a_connection_has_room_only_while_the_shards_keep_up_with_each_other) {
    shell::lone_shard home;
    shell::connection one(home, 1, shell::tcp_socket());
    EXPECT_TRUE(one.has_room());
    home.mail().posted(shell::lone_shard::mail_bytes_max + 1);
    EXPECT_FALSE(one.has_room());
    (void)home.mail().received(shell::lone_shard::mail_bytes_max + 1);
    EXPECT_TRUE(one.has_room());
}

// With a bound of one byte every post of a shard to another stops the reading of all, and everything still
// arrives.
TEST(mail_load, what_waited_unread_is_carried_out) {
    config c = test_config(3);
    c.shell.mail_bytes_total_max = 1;
    running_server server(c);
    constexpr int clients = 6, each = 100;
    std::vector<websocket_client> all;
    for (int i = 0; i < clients; ++i) all.push_back(connected(server.port(), "session-" + std::to_string(i)));
    // Each message is one frame, so that a frame comes while the one before waits.
    for (int m = 0; m < each; ++m)
        for (int i = 0; i < clients; ++i)
            all[i].send_text(
                R"({"op":"publish","id":)" + std::to_string(m + 2) + R"(,"channel":"c)" +
                std::to_string((m + i) % 7) + R"(","type":"t","payload":1})"
            );
    for (websocket_client& one : all)
        for (int m = 0; m < each; ++m) EXPECT_NE(one.line_with("\"published\""), "");
    EXPECT_GT(server.metric("pulsewire_mail_pauses_total"), 0);
    server.wait_for("pulsewire_mail_bytes", 0);
}

// The owner of one of so many channels is another shard.
TEST(mail_load, the_api_answers_overloaded_instead_of_posting_more) {
    config c = test_config(2);
    c.shell.mail_bytes_total_max = 1;
    running_server server(c);
    std::vector<websocket_client> publishers;
    for (int i = 0; i < 4; ++i)
        publishers.push_back(connected(server.port(), "session-" + std::to_string(i)));
    client api(server.port());
    int refused = 0, published = 0;
    for (int round = 0; round < 10'000 && refused == 0; ++round) {
        for (websocket_client& p : publishers)
            for (int i = 0; i < 8; ++i)
                p.send_text(
                    R"({"op":"publish","channel":"c)" + std::to_string(i) + R"(","type":"t","payload":1})"
                );
        const auto answer = ask(api, "POST", "/api/channels/a/messages", R"({"type":"t","payload":1})");
        (answer.status == 503 ? refused : published) += 1;
        if (answer.status == 503) EXPECT_NE(answer.body.find("overloaded"), std::string::npos);
    }
    EXPECT_EQ(refused, 1);
}

}  // namespace
}  // namespace pulsewire
