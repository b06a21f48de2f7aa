#include "server/shard/mail_load.hpp"

#include "server/endpoint/welcome.hpp"
#include "server/shard/node.hpp"
#include "server/testing/lone_shard.hpp"
#include "server/testing/running_server.hpp"

#include <boost/asio/post.hpp>

#include <gtest/gtest.h>

#include <cstdint>
#include <deque>
#include <future>
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
    shell::connection one(home, 1, shell::tcp_socket(-1));
    EXPECT_TRUE(one.has_room());
    home.mail.posted(shell::lone_shard::mail_bytes_max + 1);
    EXPECT_FALSE(one.has_room());
    (void)home.mail.received(shell::lone_shard::mail_bytes_max + 1);
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

TEST(mail_load, the_api_answers_overloaded_while_a_shard_does_not_keep_up) {
    config c = test_config(2);
    c.shell.mail_bytes_total_max = 1;
    shell::node node(c, {}, shell::http_welcome());
    node.start();
    shell::shard &here = node.at(0), &busy = node.at(1);
    const auto connections_here = [&] {
        std::promise<std::uint32_t> count;
        boost::asio::post(here.loop(), [&] {
            count.set_value(here.metrics().open[static_cast<std::size_t>(shell::transport::http)]);
        });
        return count.get_future().get();
    };
    // The kernel chooses the shard of a connection.
    std::deque<client> clients;
    do {
        clients.emplace_back(node.port());
        EXPECT_EQ(ask(clients.back(), "GET", "/healthz").status, 200);
    } while (connections_here() == 0 && clients.size() < 100);
    ASSERT_EQ(connections_here(), 1u);
    const auto status = [&] { return ask(clients.back(), "GET", "/api/channels/a/presence").status; };

    std::promise<void> go_on;
    boost::asio::post(busy.loop(), [&] { go_on.get_future().wait(); });
    std::vector<hub::shard_message> mail;
    mail.emplace_back(hub::to_session(hub::disconnect{}));
    node.post(1, std::move(mail));
    EXPECT_EQ(status(), 503);
    EXPECT_EQ(ask(clients.back(), "GET", "/healthz").status, 200) << "what asks no channel is answered";
    go_on.set_value();
    std::promise<void> received;
    boost::asio::post(busy.loop(), [&] { received.set_value(); });
    received.get_future().wait();
    EXPECT_EQ(status(), 200);
}

}  // namespace
}  // namespace pulsewire
