// Commands about which an observer decides (docs/protocol.md 4.25).

#include "common/hub/test_node.hpp"

#include <gtest/gtest.h>

namespace pulsewire::hub {
namespace {

using client = test_node::client;
using texts = std::vector<std::string>;

class hub_authorize : public ::testing::TestWithParam<int> {
protected:
    hub_authorize() : node(static_cast<shard_index>(GetParam()), settings()) {}

    static config settings() {
        config c;
        c.bounds.ping_ms = 3'600'000;  // silence ends nobody here
        interests application;
        application.authorizes = operations(operation::subscribe) | operation::publish | operation::history;
        interests url;
        url.authorizes = operations::all();
        url.where_asked = true;
        c.observers = {application, url};
        c.namespaces["both"].authorize = operation::publish;
        return c;
    }
    // The questions that observers got since the last call.
    std::vector<authorize> questions() {
        std::vector<authorize> found;
        for (to_observer& told : node.told())
            if (auto* one = std::get_if<authorize>(&told)) found.push_back(std::move(*one));
        return found;
    }
    void answer(const authorize& q, error_code refused = error_code::none, const std::string& reason = {}) {
        node.post(q.who.shard, to_session(authorized{q.who, q.number, refused, reason}));
        node.settle();
    }
    std::string subscribe(int id, const std::string& channel, const std::string& more = {}) {
        return R"({"op":"subscribe","id":)" + std::to_string(id) + R"(,"channel":")" + channel + "\"" + more +
               "}";
    }
    std::string publish(int id, const std::string& channel, const std::string& payload = "1") {
        return R"({"op":"publish","id":)" + std::to_string(id) + R"(,"channel":")" + channel +
               R"(","type":"t","payload":)" + payload + "}";
    }
    texts ids(client c) { return members_of(node.heard(c), "id"); }

    test_node node;
};

TEST_P(hub_authorize, nothing_happens_before_the_word_and_then_it_does) {
    const client ada = node.connect(0, "ada-session");
    node.say(ada, subscribe(2, "room"));
    EXPECT_EQ(node.heard(ada), texts{});
    EXPECT_EQ(node.subscription_count(), 0u);
    EXPECT_EQ(node.channel_count(), 0u);
    const auto asked = questions();
    ASSERT_EQ(asked.size(), 1u);
    EXPECT_EQ(asked[0].channel, "room");
    EXPECT_EQ(asked[0].wants, operations(operation::subscribe));
    answer(asked[0]);
    EXPECT_EQ(members_of(node.heard(ada), "op"), texts{"subscribed"});
}

TEST_P(hub_authorize, a_refusal_has_its_code_and_reason_and_leaves_no_trace) {
    const client ada = node.connect(0, "ada-session");
    node.say(ada, publish(2, "room"));
    const auto asked = questions();
    ASSERT_EQ(asked.size(), 1u);
    EXPECT_EQ(asked[0].type, "t");
    answer(asked[0], error_code::forbidden, "not on Sundays");
    const auto heard = node.heard(ada);
    ASSERT_EQ(heard.size(), 1u);
    EXPECT_EQ(member_of(heard[0], "code"), "forbidden");
    EXPECT_EQ(member_of(heard[0], "message"), "not on Sundays");
    EXPECT_EQ(node.channel_count(), 0u);
}

TEST_P(hub_authorize, all_are_asked_at_once_and_carried_out_in_their_order) {
    const client ada = node.connect(0, "ada-session");
    for (int id = 2; id <= 4; ++id) node.say(ada, publish(id, "room", std::to_string(id)));
    node.say(ada, R"({"op":"unsubscribe","id":5,"channel":"room"})");
    const auto asked = questions();
    ASSERT_EQ(asked.size(), 3u);
    answer(asked[2]);
    answer(asked[1], error_code::forbidden);
    EXPECT_EQ(ids(ada), texts{});
    answer(asked[0]);
    EXPECT_EQ(ids(ada), (texts{"2", "3", "4", "5"}));
    EXPECT_EQ(questions().size(), 0u);
}

TEST_P(hub_authorize, a_subscribe_that_takes_history_too_asks_about_both) {
    const client ada = node.connect(0, "ada-session");
    node.say(ada, subscribe(2, "room", R"(,"latest":5)"));
    const auto asked = questions();
    ASSERT_EQ(asked.size(), 1u);
    EXPECT_TRUE(asked[0].wants.has(operation::history));
}

TEST_P(hub_authorize, what_nobody_decides_about_waits_for_nobody) {
    const client ada = node.connect(0, "ada-session");
    node.say(ada, R"({"op":"presence","id":2,"channel":"room"})");
    EXPECT_EQ(ids(ada), texts{"2"});
    EXPECT_EQ(questions().size(), 0u);
}

TEST_P(hub_authorize, a_ping_overtakes_what_waits) {
    const client ada = node.connect(0, "ada-session");
    node.say(ada, publish(2, "room"));
    node.say(ada, R"({"op":"ping","id":3})");
    EXPECT_EQ(ids(ada), texts{"3"});
}

TEST_P(hub_authorize, where_two_decide_both_must_agree) {
    const client ada = node.connect(0, "ada-session");
    node.say(ada, publish(2, "both:room"));
    const auto first = questions();
    ASSERT_EQ(first.size(), 1u);
    answer(first[0]);
    EXPECT_EQ(ids(ada), texts{});
    const auto second = questions();
    ASSERT_EQ(second.size(), 1u);
    answer(first[0]);  // the first cannot answer for the second
    EXPECT_EQ(ids(ada), texts{});
    answer(second[0], error_code::forbidden);
    EXPECT_EQ(members_of(node.heard(ada), "code"), texts{"forbidden"});
}

TEST_P(hub_authorize, nobody_s_word_in_time_is_a_refusal) {
    const client ada = node.connect(0, "ada-session");
    node.say(ada, publish(2, "room"));
    node.say(ada, publish(3, "room"));
    const auto asked = questions();
    ASSERT_EQ(asked.size(), 2u);
    answer(asked[1]);
    node.pass(11'000);
    const auto heard = node.heard(ada);
    ASSERT_EQ(heard.size(), 2u);
    EXPECT_EQ(member_of(heard[0], "code"), "timeout");
    EXPECT_EQ(member_of(heard[1], "op"), "published");
    answer(asked[0]);  // too late
    EXPECT_EQ(ids(ada), texts{});
}

TEST_P(hub_authorize, so_many_wait_and_no_more_is_read_until_there_is_room) {
    const client ada = node.connect(0, "ada-session");
    std::string lines;
    for (int id = 2; id < 22; ++id) lines += publish(id, "room") + "\n";
    const std::size_t done = node.say(ada, lines);
    EXPECT_LT(done, lines.size());
    const auto asked = questions();
    ASSERT_EQ(asked.size(), waiting_commands_max);
    for (const authorize& q : asked) answer(q);
    EXPECT_EQ(node.say(ada, std::string_view(lines).substr(done)), lines.size() - done);
    for (const authorize& q : questions()) answer(q);
    EXPECT_EQ(ids(ada).size(), 20u);
}

TEST_P(hub_authorize, large_commands_fill_the_line_earlier) {
    const client ada = node.connect(0, "ada-session");
    const std::string large = '"' + std::string(30'000, 'x') + '"';
    for (int id = 2; id < 5; ++id) node.say(ada, publish(id, "room", large));
    EXPECT_EQ(node.say(ada, publish(5, "room")), 0u);
    EXPECT_EQ(questions().size(), 3u);
}

TEST_P(hub_authorize, a_word_about_somebody_who_has_gone_does_nothing) {
    const client ada = node.connect(0, "ada-session");
    node.say(ada, publish(2, "room"));
    const auto asked = questions();
    node.close(ada);
    answer(asked.at(0));
    EXPECT_EQ(node.channel_count(), 0u);
}

TEST_P(hub_authorize, the_application_ends_a_subscription_and_the_client_is_told) {
    const client ada = node.connect(0, "ada-session");
    node.say(ada, subscribe(2, "room"));
    answer(questions().at(0));
    node.heard(ada);
    node.post(0, to_session(end_subscription{{ada.shard, ada.connection}, "room"}));
    const auto heard = node.heard(ada);
    ASSERT_EQ(heard.size(), 1u);
    EXPECT_EQ(member_of(heard[0], "op"), "unsubscribed");
    EXPECT_EQ(member_of(heard[0], "reason"), "forbidden");
    EXPECT_EQ(node.subscription_count(), 0u);
    node.post(0, to_session(end_subscription{{ada.shard, ada.connection}, "room"}));
    EXPECT_EQ(node.heard(ada), texts{});
}

// A permission that ends while the command waits is not made good by the word.
TEST_P(hub_authorize, the_guard_is_asked_again_when_the_word_comes) {
    config c = settings();
    c.verifies_tokens = true;
    c.default_namespace.allow = access_rules::none();
    test_node signed_in(static_cast<shard_index>(GetParam()), c);
    const auto token = [&](const std::string& name, const char* allow) {
        access::principal p;
        p.user = "ada";
        p.allowed = *access::grants::parse(allow);
        p.expires_ms = signed_in.now().wall_ms + 3'600'000;
        signed_in.know(name, {std::make_shared<const access::principal>(p)});
    };
    token("all", R"({"room":["publish"]})");
    token("none", "{}");
    const client ada = signed_in.open(0);
    signed_in.say(ada, R"({"op":"connect","id":1,"version":1,"session":"ada-session","token":"all"})");
    signed_in.say(ada, publish(2, "room"));
    signed_in.say(ada, R"({"op":"refresh","id":3,"token":"none"})");
    signed_in.heard(ada);
    const auto told = signed_in.told();
    ASSERT_EQ(told.size(), 1u);
    const auto& asked = std::get<authorize>(told[0]);
    EXPECT_EQ(asked.user, "ada");
    signed_in.post(0, to_session(authorized{asked.who, asked.number, error_code::none, {}}));
    EXPECT_EQ(members_of(signed_in.heard(ada), "code"), texts{"forbidden"});
}

INSTANTIATE_TEST_SUITE_P(with, hub_authorize, ::testing::Values(1, 3), [](const auto& info) {
    return std::to_string(info.param) + (info.param == 1 ? "_shard" : "_shards");
});

}  // namespace
}  // namespace pulsewire::hub
