// Requests between the clients of a channel (docs/protocol.md 4.18, 4.19).

#include "common/hub/test_node.hpp"

#include <gtest/gtest.h>

namespace pulsewire::hub {
namespace {

using client = test_node::client;
using texts = std::vector<std::string>;

// Ada asks, Bob is asked; each on a shard of its own, and the channel belongs
// to a third one or to one of them.
class hub_requests : public ::testing::TestWithParam<int> {
protected:
    hub_requests() : node(static_cast<shard_index>(GetParam()), settings()) {
        subscribe(ada, "{}");
        subscribe(bob, "{}");
        node.heard(ada);
        node.heard(bob);
    }
    static config settings() {
        config c;
        c.default_namespace.client_requests = true;
        c.namespaces["quiet"].client_requests = false;
        c.bounds.requests_per_connection_max = 4;
        return c;
    }
    void subscribe(client who, const std::string& info) {
        node.say(who, R"({"op":"subscribe","id":1,"channel":"d:1","payload":)" + info + "}");
        node.settle();
    }
    shard_index last() { return static_cast<shard_index>(node.shards() - 1); }
    void ask(client who, int id, const std::string& to, const std::string& more = {}) {
        node.say(
            who, R"({"op":"request","id":)" + std::to_string(id) + R"(,"channel":"d:1","to":")" + to +
                     R"(","type":"led.set","timeout_ms":5000)" + more + R"(,"payload":{"on":true}})"
        );
    }
    void respond(client who, const std::string& number, const std::string& rest) {
        node.say(who, R"({"op":"respond","request":)" + number + "," + rest + "}");
    }
    static std::string question(int number) {
        return R"({"op":"request","request":)" + std::to_string(number) + R"(,"channel":"d:1","from":")" +
               ada_name + R"(","type":"led.set","timeout_ms":5000,"payload":{"on":true}})";
    }
    std::string code_heard(client who) {
        const texts heard = node.heard(who);
        return heard.size() == 1 ? member_of(heard[0], "code") : std::to_string(heard.size()) + " lines";
    }

    test_node node;
    client ada = node.connect(0, "ada-session"), bob = node.connect(last(), "bob-session");
};

INSTANTIATE_TEST_SUITE_P(Shards, hub_requests, ::testing::Values(1, 2, 5));

TEST_P(hub_requests, the_one_that_is_asked_answers) {
    ask(ada, 7, bob_name);
    EXPECT_EQ(node.heard(bob), texts{question(1)});
    respond(bob, "1", R"("payload":{"was":false})");
    EXPECT_EQ(node.heard(ada), texts{R"({"op":"response","id":7,"payload":{"was":false}})"});
    ask(ada, 8, bob_name);
    EXPECT_EQ(node.heard(bob), texts{question(2)});
    respond(bob, "2", R"("code":"rejected","message":"not \"now\"")");
    EXPECT_EQ(node.heard(ada), texts{R"({"op":"error","id":8,"code":"rejected","message":"not \"now\""})"});
}

TEST_P(hub_requests, there_is_exactly_one_answer) {
    ask(ada, 7, bob_name);
    node.settle();
    respond(bob, "1", R"("payload":1)");
    respond(bob, "1", R"("payload":2)");
    respond(bob, "9", R"("payload":3)");
    EXPECT_EQ(node.heard(ada), texts{R"({"op":"response","id":7,"payload":1})"});
    ask(ada, 8, bob_name);
    node.pass(6'000);
    EXPECT_EQ(code_heard(ada), "timeout");
    respond(bob, "2", R"("payload":4)");
    EXPECT_EQ(node.heard(ada), texts{}) << "too late";
}

TEST_P(hub_requests, only_who_is_seen_in_the_channel_is_asked) {
    const client eve = node.connect(0, "eve-session");
    ask(ada, 2, "eve-session");
    EXPECT_EQ(code_heard(ada), "not_present") << "she is not there";
    node.say(eve, R"({"op":"subscribe","channel":"d:1"})");
    node.settle();
    ask(ada, 3, "eve-session");
    EXPECT_EQ(code_heard(ada), "not_present") << "she does not show herself";
    node.heard(eve);
    ask(eve, 4, bob_name);
    EXPECT_EQ(node.heard(bob).size(), 1u) << "but may ask";
    const client out = node.connect(0, "out-session");
    ask(out, 5, bob_name);
    EXPECT_EQ(code_heard(out), "not_subscribed");
    node.say(ada, R"({"op":"subscribe","channel":"quiet:1"})");
    node.heard(ada);
    node.say(
        ada,
        R"({"op":"request","id":6,"channel":"quiet:1","to":")" + bob_name + R"(","type":"t","payload":1})"
    );
    EXPECT_EQ(code_heard(ada), "forbidden");
    node.say(ada, R"({"op":"request","id":7,"channel":"d:1","to":"b","type":"t","payload":1})");
    EXPECT_EQ(code_heard(ada), "invalid_frame");
    EXPECT_EQ(node.heard(bob), texts{});
    // Bob went a moment ago, and is still listed.
    node.say(bob, R"({"op":"unsubscribe","channel":"d:1"})");
    node.settle();
    ask(ada, 8, bob_name);
    EXPECT_EQ(code_heard(ada), "not_present");
}

TEST_P(hub_requests, the_newest_connection_of_the_session_is_asked) {
    const client newer = node.connect(0, "bob-session");
    subscribe(newer, "{}");
    node.heard(newer);
    ask(ada, 7, bob_name);
    EXPECT_EQ(node.heard(bob), texts{});
    EXPECT_EQ(node.heard(newer), texts{question(1)});
}

TEST_P(hub_requests, whoever_goes_is_missed_by_the_other) {
    ask(ada, 7, bob_name);
    node.settle();
    node.close(bob);
    EXPECT_EQ(code_heard(ada), "disconnected");
    bob = node.connect(last(), "bob-session");
    subscribe(bob, "{}");
    node.heard(bob);
    ask(ada, 8, bob_name);
    EXPECT_EQ(node.heard(bob), texts{question(1)});
    node.say(ada, R"({"op":"cancel","id":8})");
    EXPECT_EQ(node.heard(bob), texts{R"({"op":"cancel","request":1,"channel":"d:1"})"});
    respond(bob, "1", R"("payload":1)");
    EXPECT_EQ(node.heard(ada), texts{});
    ask(ada, 9, bob_name);
    node.settle();
    node.close(ada);
    EXPECT_EQ(node.heard(bob), (texts{question(2), R"({"op":"cancel","request":2,"channel":"d:1"})"}));
    node.close(bob);
    node.settle();
    EXPECT_EQ(node.session_count() + node.subscription_count(), 0u);
}

TEST_P(hub_requests, a_withdrawal_never_overtakes_its_request) {
    for (int id = 2; id < 50; ++id) {
        ask(ada, id, bob_name);
        node.say(ada, R"({"op":"cancel","id":)" + std::to_string(id) + "}");
        const std::string number = std::to_string(id - 1);
        EXPECT_EQ(
            node.heard(bob),
            (texts{question(id - 1), R"({"op":"cancel","request":)" + number + R"(,"channel":"d:1"})"})
        );
    }
    EXPECT_EQ(node.heard(ada), texts{});
}

TEST_P(hub_requests, open_requests_are_bounded_on_both_sides) {
    for (int id = 2; id < 6; ++id) ask(ada, id, bob_name);
    ask(ada, 6, bob_name);
    EXPECT_EQ(code_heard(ada), "too_many_requests");
    EXPECT_EQ(node.heard(bob).size(), 4u);
    node.pass(6'000);
    node.heard(ada);
    ask(ada, 7, bob_name);
    EXPECT_EQ(node.heard(ada), texts{}) << "what is overdue is forgotten on both sides";
    EXPECT_EQ(node.heard(bob).size(), 1u);
}

// Otherwise one asker, or a few, would make a client unaskable for all others.
TEST_P(hub_requests, who_asks_most_makes_room_for_others) {
    const client eve = node.connect(0, "eve-session");
    subscribe(eve, "{}");
    for (int id = 2; id < 6; ++id) ask(ada, id, bob_name);
    node.heard(ada);
    node.heard(bob);
    node.heard(eve);
    ask(eve, 2, bob_name);
    EXPECT_EQ(node.heard(eve), texts{});
    const texts heard = node.heard(bob);
    ASSERT_EQ(heard.size(), 2u);
    EXPECT_EQ(heard[0], R"({"op":"cancel","request":1,"channel":"d:1"})") << "the oldest of ada";
    EXPECT_EQ(member_of(heard[1], "request"), "5");
    const texts refused = node.heard(ada);
    ASSERT_EQ(refused.size(), 1u);
    EXPECT_EQ(member_of(refused[0], "code"), "overloaded");
    EXPECT_EQ(member_of(refused[0], "id"), "2");
    ask(eve, 3, bob_name);
    EXPECT_EQ(node.heard(eve), texts{}) << "ada still has more of them";
    ask(eve, 4, bob_name);
    EXPECT_EQ(code_heard(eve), "overloaded") << "now nobody has more";
    respond(bob, "5", R"("payload":1)");
    EXPECT_EQ(member_of(node.heard(eve).at(0), "id"), "2");
}

TEST_P(hub_requests, all_connections_of_one_address_are_one_asker) {
    constexpr std::uint64_t crowded = 1, quiet = 2;
    std::vector<client> crowd;
    for (int i = 0; i < 6; ++i) {
        crowd.push_back(node.connect(0, "crowd-session-" + std::to_string(i), crowded));
        subscribe(crowd.back(), "{}");
        node.heard(crowd.back());
    }
    const client eve = node.connect(0, "eve-session", quiet);
    subscribe(eve, "{}");
    for (int i = 0; i < 3; ++i) ask(crowd[i], 2, bob_name);
    ask(eve, 2, bob_name);
    node.heard(eve);
    for (int i = 3; i < 6; ++i) {
        ask(crowd[i], 2, bob_name);
        EXPECT_EQ(code_heard(crowd[i]), "overloaded") << "though this connection has asked nothing yet";
    }
    EXPECT_EQ(node.heard(eve), texts{}) << "her question stays";
    ask(eve, 3, bob_name);
    EXPECT_EQ(node.heard(eve), texts{});
    EXPECT_EQ(code_heard(crowd[0]), "overloaded") << "and the crowd makes room for her next one";
}

TEST_P(hub_requests, a_bad_answer_is_refused_without_an_id) {
    ask(ada, 7, bob_name);
    node.heard(bob);
    respond(bob, "1", R"("code":"of my own")");
    const texts heard = node.heard(bob);
    ASSERT_EQ(heard.size(), 1u);
    EXPECT_EQ(member_of(heard[0], "code"), "invalid_frame");
    EXPECT_EQ(member_of(heard[0], "id"), "");
    node.say(bob, R"({"op":"respond","payload":1})");
    EXPECT_EQ(code_heard(bob), "invalid_frame");
    node.say(bob, R"({"op":"respond","request":1})");
    EXPECT_EQ(code_heard(bob), "invalid_frame");
    EXPECT_EQ(node.heard(ada), texts{});
}

TEST_P(hub_requests, one_may_ask_oneself_and_go) {
    ask(ada, 7, ada_name);
    EXPECT_EQ(node.heard(ada), texts{question(1)});
    node.close(ada);
    EXPECT_EQ(node.heard(ada), texts{});
}

}  // namespace
}  // namespace pulsewire::hub
