// Nodes that share a log, as their clients see them.

#include "common/hub/test_cluster.hpp"
#include "common/session/public_name.hpp"

#include <gtest/gtest.h>

namespace pulsewire::hub {
namespace {

using client = test_cluster::client;
using lines = test_cluster::lines;

constexpr std::string_view subscribe = R"({"op":"subscribe","id":1,"channel":"room"})";

std::string publish_of(std::string_view text, std::uint64_t id = 2, std::string_view more = {}) {
    return R"({"op":"publish","id":)" + std::to_string(id) + R"(,"channel":"room","type":"t")" +
           std::string(more) + R"(,"payload":")" + std::string(text) + "\"}";
}

// The payloads of publications among the lines, each with its offset.
std::string payloads(const lines& heard) {
    std::string all;
    for (const std::string& line : heard) {
        if (!line.starts_with(R"({"type":)")) continue;
        const std::size_t begin = line.find(R"("payload":")") + 11;
        all.append(all.empty() ? "" : " ").append(line, begin, line.size() - 2 - begin);
    }
    return all;
}

bool has(const lines& heard, std::string_view text) {
    for (const std::string& line : heard)
        if (line.find(text) != std::string::npos) return true;
    return false;
}

std::string epoch_in(const lines& heard) {
    for (const std::string& line : heard)
        if (const std::size_t at = line.find(R"("epoch":")"); at != std::string::npos)
            return line.substr(at + 9, 16);
    return {};
}

std::string all_of(const lines& heard) {
    std::string all;
    for (const std::string& line : heard) all += line + '\n';
    return all;
}

TEST(hub_cluster, clients_of_two_nodes_hear_each_other_in_one_order) {
    test_cluster world(2, 2);
    world.run(500);
    const client ada = world.connect(0, "ada-session"), bob = world.connect(1, "bob-session", 1);
    world.say(ada, subscribe);
    world.say(bob, subscribe);
    world.run(100);
    world.say(ada, publish_of("one"));
    world.say(bob, publish_of("two"));
    world.say(ada, publish_of("three", 3));
    const lines to_ada = world.heard_after(ada, 500), to_bob = world.heard_after(bob, 0);
    EXPECT_EQ(payloads(to_ada), payloads(to_bob)) << all_of(to_ada) << all_of(to_bob);
    EXPECT_EQ(payloads(to_ada).size(), std::string("one two three").size());
    EXPECT_TRUE(has(to_ada, R"({"op":"published","id":3,)")) << all_of(to_ada);
    EXPECT_EQ(epoch_in(to_ada), epoch_in(to_bob));
}

TEST(hub_cluster, a_position_of_one_node_recovers_on_another) {
    test_cluster world(2);
    world.run(500);
    const client ada = world.connect(0, "ada-session");
    world.say(ada, publish_of("one"));
    world.say(ada, publish_of("two", 3));
    const std::string epoch = epoch_in(world.heard_after(ada, 200));
    const client bob = world.connect(1, "bob-session");
    world.say(bob, R"({"op":"subscribe","id":1,"channel":"room","epoch":")" + epoch + R"(","offset":1})");
    const lines heard = world.heard(bob);
    EXPECT_TRUE(has(heard, R"("recovered":true)")) << all_of(heard);
    EXPECT_EQ(payloads(heard), "two");
}

TEST(hub_cluster, a_copy_that_is_behind_accuses_no_client) {
    test_cluster world(2);
    world.run(500);
    const client ada = world.connect(0, "ada-session");
    world.deafen(1, true);
    world.say(ada, publish_of("one"));
    const std::string epoch = epoch_in(world.heard_after(ada, 200));
    const client bob = world.connect(1, "bob-session");
    world.say(bob, R"({"op":"subscribe","id":1,"channel":"room","epoch":")" + epoch + R"(","offset":1})");
    EXPECT_EQ(world.heard_after(bob, 200), lines{}) << "it waits until the copy can tell";
    world.deafen(1, false);
    const lines heard = world.heard_after(bob, 2'000);
    EXPECT_TRUE(has(heard, R"("recovered":true)")) << all_of(heard);
}

TEST(hub_cluster, a_key_counts_once_on_all_nodes) {
    test_cluster world(2);
    world.run(500);
    const client ada = world.connect(0, "ada-session"), bob = world.connect(1, "bob-session");
    world.say(ada, subscribe);
    world.say(ada, publish_of("one", 2, R"(,"key":"k1")"));
    world.run(200);
    world.say(bob, publish_of("one", 2, R"(,"key":"k1")"));
    world.say(bob, publish_of("other", 3, R"(,"key":"k1")"));
    const lines to_bob = world.heard_after(bob, 200);
    EXPECT_TRUE(has(to_bob, R"("offset":1)")) << all_of(to_bob);
    EXPECT_TRUE(has(to_bob, "key_reused")) << all_of(to_bob);
    EXPECT_EQ(payloads(world.heard(ada)), "one");
}

TEST(hub_cluster, transient_messages_reach_all_nodes_and_have_no_place) {
    test_cluster world(2);
    world.run(500);
    const client ada = world.connect(0, "ada-session"), bob = world.connect(1, "bob-session");
    world.say(bob, subscribe);
    world.run(100);
    world.say(ada, publish_of("typing", 2, R"(,"transient":true)"));
    const lines to_ada = world.heard_after(ada, 200), to_bob = world.heard(bob);
    EXPECT_EQ(payloads(to_bob), "typing");
    EXPECT_FALSE(has(to_bob, R"("type":"t","channel":"room","offset")"));
    EXPECT_EQ(to_ada, lines{R"({"op":"published","id":2,"channel":"room"})"});
}

TEST(hub_cluster, members_of_all_nodes_are_listed_and_those_of_a_killed_one_leave) {
    test_cluster world(2);
    world.run(500);
    const client ada = world.connect(0, "ada-session"), bob = world.connect(1, "bob-session");
    constexpr std::string_view shows =
        R"({"op":"subscribe","id":1,"channel":"room","presence":true,"payload":{"n":1}})";
    world.say(ada, shows);
    world.run(200);
    world.say(bob, shows);
    const lines to_ada = world.heard_after(ada, 500), to_bob = world.heard(bob);
    const std::string name_of_bob = public_name("bob-session");
    EXPECT_TRUE(has(to_ada, R"({"op":"join","channel":"room","session":")" + name_of_bob)) << all_of(to_ada);
    EXPECT_TRUE(has(to_bob, public_name("ada-session"))) << all_of(to_bob);
    world.kill(1);
    EXPECT_TRUE(
        has(world.heard_after(ada, 9'000), R"({"op":"leave","channel":"room","session":")" + name_of_bob)
    ) << "within ten seconds, with the second that it may have been silent before";
}

TEST(hub_cluster, a_request_finds_its_client_on_another_node) {
    test_cluster world(2);
    world.settings.default_namespace.client_requests = true;
    world.start(0);
    world.start(1);
    world.run(6'000);
    const client ada = world.connect(0, "ada-session"), bob = world.connect(1, "bob-session");
    constexpr std::string_view shows =
        R"({"op":"subscribe","id":1,"channel":"room","presence":true,"payload":{}})";
    world.say(ada, subscribe);
    world.say(bob, shows);
    world.run(500);
    world.heard(bob);
    const auto ask = [&](int id) {
        world.say(
            ada, R"({"op":"request","id":)" + std::to_string(id) + R"(,"channel":"room","to":")" +
                     public_name("bob-session") + R"(","type":"lamp","payload":{"on":true}})"
        );
    };
    ask(7);
    const lines asked = world.heard_after(bob, 200);
    ASSERT_TRUE(has(asked, R"("op":"request","request":1,)")) << all_of(asked);
    world.say(bob, R"({"op":"respond","request":1,"payload":"it is"})");
    EXPECT_TRUE(has(world.heard_after(ada, 200), R"({"op":"response","id":7,"payload":"it is"})"));
    ask(8);
    world.run(200);
    world.say(bob, R"({"op":"respond","request":2,"code":"rejected","message":"\"no\" \u00e4"})");
    const lines refused = world.heard_after(ada, 200);
    EXPECT_TRUE(has(refused, R"({"op":"error","id":8,"code":"rejected","message":"\"no\" \u00e4"})"))
        << all_of(refused);
    ask(9);
    world.run(200);
    world.say(ada, R"({"op":"cancel","id":9})");
    EXPECT_TRUE(has(world.heard_after(bob, 200), R"({"op":"cancel","request":3,)"));
    ask(10);
    world.run(200);
    world.kill(1);
    EXPECT_TRUE(has(world.heard_after(ada, 9'000), R"({"op":"error","id":10,"code":"disconnected")"));
}

// Protocol 2.5.
TEST(hub_cluster, bytes_stay_bytes_on_every_node) {
    test_cluster world(2);
    world.settings.default_namespace.client_requests = true;
    world.start(0);
    world.start(1);
    world.run(6'000);
    const client ada = world.connect(0, "ada-session"), bob = world.connect(1, "bob-session");
    world.say(ada, subscribe);
    world.say(bob, R"({"op":"subscribe","id":1,"channel":"room","payload":"here"})");
    world.run(500);
    const std::string bytes = R"("binary":true,"payload":"AAr/ew==")";  // 0, newline, 255, {
    const std::string behind = std::string(",\"bytes\":4}\n") + '\0' + "\n\xff{";
    world.say(ada, R"({"op":"publish","id":2,"channel":"room","type":"t",)" + bytes + "}");
    world.say(ada, R"({"op":"publish","id":3,"channel":"room","type":"t","transient":true,)" + bytes + "}");
    world.say(
        ada, R"({"op":"request","id":4,"channel":"room","to":")" + public_name("bob-session") +
                 R"(","type":"t",)" + bytes + "}"
    );
    const lines heard = world.heard_after(bob, 200);
    int with_bytes = 0;
    for (const std::string& line : heard) with_bytes += line.ends_with(behind) ? 1 : 0;
    EXPECT_EQ(with_bytes, 3) << all_of(heard);
    world.say(bob, R"({"op":"respond","request":1,)" + bytes + "}");
    world.say(bob, R"({"op":"history","id":5,"channel":"room"})");
    EXPECT_TRUE(has(world.heard_after(ada, 200), R"({"op":"response","id":4)" + behind));
    EXPECT_TRUE(has(world.heard_after(bob, 0), bytes + "}]"));
}

TEST(hub_cluster, a_broker_that_is_away_is_told_and_what_waits_goes_on) {
    test_cluster world(2);
    world.run(500);
    const client ada = world.connect(0, "ada-session"), bob = world.connect(1, "bob-session");
    world.say(ada, subscribe);
    world.run(100);
    world.heard(ada);
    world.each_broker([&](cluster::broker_model& b) {
        b.pause(world.now().monotonic_ms + 6'000);
        b.disconnect(0, "gone");
        b.disconnect(1, "gone");
    });
    world.say(bob, publish_of("waits"));
    const lines told = world.heard_after(ada, 3'000);
    EXPECT_TRUE(has(told, R"({"op":"degraded","message":)")) << all_of(told);
    const client eve = world.connect(0, "eve-session");
    world.say(eve, subscribe);
    EXPECT_EQ(world.heard_after(eve, 1'000), lines{}) << "subscribing waits";
    const lines after = world.heard_after(ada, 6'000);
    EXPECT_TRUE(has(after, R"({"op":"restored"})")) << all_of(after);
    EXPECT_EQ(payloads(after), "waits");
    EXPECT_TRUE(has(world.heard(bob), R"({"op":"published","id":2,"channel":"room","epoch":)"));
    EXPECT_TRUE(has(world.heard(eve), R"({"op":"subscribed","id":1,"channel":"room",)"));
}

TEST(hub_cluster, what_waits_for_too_long_is_refused_as_temporary) {
    test_cluster world(1);
    world.run(500);
    const client ada = world.connect(0, "ada-session");
    world.each_broker([&](cluster::broker_model& b) {
        b.pause(world.now().monotonic_ms + 60'000);
        b.disconnect(0, "gone");
    });
    world.run(200);
    world.say(ada, publish_of("waits"));
    world.say(ada, subscribe);
    world.say(ada, R"({"op":"history","id":5,"channel":"room"})");
    EXPECT_FALSE(has(world.heard_after(ada, 9'000), "broker_unavailable"));
    const lines heard = world.heard_after(ada, 3'000);
    for (const std::string id : {"1", "2", "5"})
        EXPECT_TRUE(has(heard, R"({"op":"error","id":)" + id + R"(,"code":"broker_unavailable")"))
            << all_of(heard);
}

TEST(hub_cluster, a_lost_tail_is_told_to_live_subscribers_and_later_messages_arrive) {
    test_cluster world(2);
    world.run(500);
    const client ada = world.connect(0, "ada-session"), bob = world.connect(1, "bob-session");
    world.say(ada, subscribe);
    world.say(bob, subscribe);
    world.run(100);
    world.say(ada, publish_of("one"));
    const std::string epoch = epoch_in(world.heard_after(ada, 200));
    world.heard(bob);
    // The records since "one", which is among the lost.
    world.broker_of("room").fail_over(2, world.now().monotonic_ms, world.now().monotonic_ms);
    const lines told = world.heard_after(ada, 4'000);
    EXPECT_TRUE(has(told, R"({"op":"position","channel":"room","epoch":)")) << all_of(told);
    EXPECT_NE(epoch_in(told), epoch);
    world.say(bob, publish_of("two"));
    EXPECT_EQ(payloads(world.heard_after(ada, 500)), "two");
    EXPECT_EQ(payloads(world.heard(bob)), "two");
}

TEST(hub_cluster, a_position_of_before_a_failover_that_lost_nothing_recovers_on_any_node) {
    test_cluster world(2);
    world.run(500);
    const client ada = world.connect(0, "ada-session"), bob = world.connect(0, "bob-session");
    world.say(bob, subscribe);
    world.say(ada, publish_of("one"));
    const std::string epoch = epoch_in(world.heard_after(ada, 200));
    world.close(bob);
    world.broker_of("room").fail_over(0, world.now().monotonic_ms, world.now().monotonic_ms);
    world.run(2'000);
    world.say(ada, publish_of("two", 3));
    world.run(200);
    const auto come_back = [&](std::uint64_t offset) {
        const client again = world.connect(1, "bob-session");
        world.say(
            again, R"({"op":"subscribe","id":1,"channel":"room","epoch":")" + epoch + R"(","offset":)" +
                       std::to_string(offset) + "}"
        );
        return world.heard_after(again, 2'000);
    };
    const lines heard = come_back(1);
    EXPECT_TRUE(has(heard, R"("recovered":true)")) << all_of(heard);
    EXPECT_EQ(payloads(heard), "two");
    // The second place was given under the new name: who had one of the old was told what is lost.
    EXPECT_TRUE(has(come_back(2), R"("recovered":false,"reason":"epoch_changed")"));
}

TEST(hub_cluster, an_order_reaches_the_sessions_of_other_nodes) {
    test_cluster world(3);
    world.run(500);
    revoke all;
    all.user = "ada";
    all.issued_before_ms = 5;
    world.log(0).tell_nodes({true, all}, world.now());
    world.carry_out(0);
    world.run(200);
    EXPECT_TRUE(world.orders[0].empty()) << "it has done it already";
    for (const std::size_t n : {1u, 2u}) {
        ASSERT_EQ(world.orders[n].size(), 1u);
        EXPECT_TRUE(world.orders[n][0].ends_tokens);
        EXPECT_EQ(std::get<revoke>(world.orders[n][0].what).user, "ada");
    }
}

TEST(hub_cluster, one_that_comes_later_hears_of_tokens_that_were_revoked) {
    test_cluster world(2);
    world.kill(1);
    world.run(500);
    revoke all;
    all.user = "ada";
    all.issued_before_ms = 5;
    world.log(0).tell_nodes({true, all}, world.now());
    all.user = "bob";
    world.log(0).tell_nodes({false, all}, world.now());
    world.carry_out(0);
    world.run(200);
    world.start(1);
    world.run(1'000);
    ASSERT_EQ(world.orders[1].size(), 1u) << "whose connections ended then, did so then";
    EXPECT_EQ(std::get<revoke>(world.orders[1][0].what).user, "ada");
}

TEST(hub_cluster, what_is_too_old_is_read_no_more) {
    test_cluster world(1);
    world.run(500);
    const client ada = world.connect(0, "ada-session");
    world.say(ada, publish_of("one"));
    world.run(200);
    world.heard(ada);
    world.say(ada, R"({"op":"history","id":5,"channel":"room"})");
    EXPECT_TRUE(has(world.heard_after(ada, 200), R"("payload":[{"type":"t")"));
    world.run(15 * 60'000);
    const client bob = world.connect(0, "bob-session");
    world.say(bob, R"({"op":"history","id":6,"channel":"room"})");
    const lines heard = world.heard_after(bob, 200);
    EXPECT_TRUE(has(heard, R"("offset":1,"more":false,"payload":[]})")) << all_of(heard);
}

}  // namespace
}  // namespace pulsewire::hub
