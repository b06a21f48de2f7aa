// Who somebody is and what they may do: tokens, permissions and their end (docs/protocol.md 4.21 to 4.24).

#include "common/hub/test_node.hpp"

#include <gtest/gtest.h>

namespace pulsewire::hub {
namespace {

using client = test_node::client;
using texts = std::vector<std::string>;

constexpr std::int64_t hour_ms = 3'600'000;

class hub_tokens : public ::testing::TestWithParam<int> {
protected:
    hub_tokens() : node(static_cast<shard_index>(GetParam()), settings()) {}

    static config settings() {
        config c;
        c.verifies_tokens = true;
        c.anonymous = false;
        c.bounds.ping_ms = hour_ms;  // silence ends nobody here
        c.default_namespace.allow = access_rules::none();
        c.default_namespace.client_requests = true;
        c.namespaces["open"].allow =
            access_rules{operation::subscribe, operation::publish, operation::presence};
        return c;
    }
    // A token of the user that permits `allow`, JSON of patterns.
    void issue(
        const std::string& token, const std::string& user, const std::string& allow,
        std::int64_t counts_for_ms = hour_ms, const std::vector<std::string>& subscribe = {}
    ) {
        access::principal p;
        p.user = user;
        p.subscribe = subscribe;
        auto granted = access::grants::parse(allow);
        ASSERT_TRUE(granted) << granted.error();
        p.allowed = *granted;
        p.info = R"({"name":")" + user + R"("})";
        p.token_id = token;
        p.issued_ms = node.now().wall_ms;
        p.expires_ms = node.now().wall_ms + counts_for_ms;
        node.know(token, {std::make_shared<const access::principal>(p)});
    }
    client sign_in(const std::string& token, shard_index shard = 0) {
        const client c = node.open(shard);
        node.say(
            c, R"({"op":"connect","id":1,"version":1,"session":"session-)" + token + R"(","token":")" +
                   token + R"("})"
        );
        return c;
    }
    client user(const std::string& name, const std::string& allow, shard_index shard = 0) {
        issue(name, name, allow);
        const client c = sign_in(name, shard);
        node.heard(c);
        return c;
    }
    std::string answer(client who, const std::string& command) {
        node.say(who, command);
        const texts heard = node.heard(who);
        return heard.empty() ? "nothing" : heard[0];
    }
    std::string code(client who, const std::string& command) {
        const std::string line = answer(who, command);
        return member_of(line, "op") == "error" ? member_of(line, "code") : member_of(line, "op");
    }
    shard_index last() { return static_cast<shard_index>(node.shards() - 1); }

    test_node node;
};

INSTANTIATE_TEST_SUITE_P(Shards, hub_tokens, ::testing::Values(1, 3));

TEST_P(hub_tokens, a_token_says_who_somebody_is) {  // 4.21
    issue("t", "auth0=7C5", "{}");
    const client c = sign_in("t");
    const texts heard = node.heard(c);
    ASSERT_EQ(heard.size(), 1u);
    EXPECT_EQ(member_of(heard[0], "op"), "welcome");
    EXPECT_EQ(member_of(heard[0], "user"), "auth0=7C5");
    EXPECT_EQ(member_of(heard[0], "expires_in_ms"), std::to_string(hour_ms));
}

TEST_P(hub_tokens, without_a_valid_token_nobody_comes_in_and_nobody_learns_why) {
    const client wrong = sign_in("made-up");
    EXPECT_EQ(node.ended(wrong), close_code::unauthorized);
    const client none = node.open(0);
    node.say(none, R"({"op":"connect","id":1,"version":1,"session":"ada-session"})");
    EXPECT_EQ(node.ended(none), close_code::unauthorized);
    issue("old", "ann", "{}", -60'000);
    EXPECT_EQ(node.ended(sign_in("old")), close_code::token_expired) << "a new one may be good";
    node.know("revoked", {nullptr, false, true});
    EXPECT_EQ(node.ended(sign_in("revoked")), close_code::token_expired);
}

TEST_P(hub_tokens, who_shows_a_token_is_never_taken_for_somebody_unknown) {
    config c = settings();
    c.verifies_tokens = false;
    c.anonymous = true;
    test_node open(1, c);
    const client shown = open.open(0);
    open.say(shown, R"({"op":"connect","version":1,"session":"ada-session","token":"t"})");
    EXPECT_EQ(open.ended(shown), close_code::unauthorized);
}

TEST_P(hub_tokens, when_tokens_cannot_be_verified_now_the_client_comes_back_later) {
    node.know("t", {nullptr, true});
    EXPECT_EQ(node.ended(sign_in("t")), close_code::try_again_later);
}

TEST_P(hub_tokens, what_comes_behind_a_token_waits_until_it_is_verified) {
    node.verifies_at_once = false;
    issue("t", "ann", R"({"a:**":["publish"]})");
    const client c = node.open(0);
    const std::string connect = R"({"op":"connect","id":1,"version":1,"session":"ada-session","token":"t"})"
                                "\n";
    const std::string publish = R"({"op":"publish","id":2,"channel":"a:1","type":"t","payload":1})";
    EXPECT_EQ(node.say(c, connect + publish), connect.size());
    EXPECT_TRUE(node.heard(c).empty());
    node.verify();
    EXPECT_EQ(members_of(node.heard(c), "op"), texts{"welcome"});
    EXPECT_EQ(code(c, publish), "published");
}

TEST_P(hub_tokens, a_verification_that_comes_too_late_does_nothing) {
    node.verifies_at_once = false;
    issue("t", "ann", "{}");
    const client c = sign_in("t");
    node.close(c);
    node.reopen(c);
    node.verify();
    EXPECT_TRUE(node.heard(c).empty()) << "the connection with the same number is another one";
}

TEST_P(hub_tokens, a_command_needs_the_permission_for_its_operation) {  // 4.23
    const struct {
        const char *operation, *command, *answer;
    } rows[] = {
        {"subscribe", R"({"op":"subscribe","id":2,"channel":"a:1"})", "subscribed"},
        {"publish", R"({"op":"publish","id":2,"channel":"a:1","type":"t","payload":1})", "published"},
        {"publish", R"({"op":"publish","id":2,"channel":"a:1","type":"t","payload":1,"transient":true})",
         "published"},
        {"history", R"({"op":"history","id":2,"channel":"a:1"})", "history"},
        {"presence", R"({"op":"presence","id":2,"channel":"a:1"})", "presence"},
    };
    for (const auto& wanted : rows) {
        for (const std::string_view given : operation_names) {
            const std::string name = std::string(wanted.operation) + "-" + std::string(given);
            const client c = user(name, R"({"a:*":[")" + std::string(given) + R"("]})", last());
            EXPECT_EQ(code(c, wanted.command), given == wanted.operation ? wanted.answer : "forbidden")
                << wanted.command << " with " << given;
            node.close(c);
        }
    }
}

TEST_P(hub_tokens, a_subscribe_needs_a_permission_for_everything_that_it_asks_for) {
    const client c = user("ann", R"({"a:1":["subscribe"]})");
    EXPECT_EQ(code(c, R"({"op":"subscribe","id":2,"channel":"a:1","latest":1})"), "forbidden");
    EXPECT_EQ(code(c, R"({"op":"subscribe","id":2,"channel":"a:1","presence":true})"), "forbidden");
    EXPECT_EQ(code(c, R"({"op":"subscribe","id":2,"channel":"a:1","payload":{}})"), "forbidden");
    EXPECT_EQ(code(c, R"({"op":"subscribe","id":2,"channel":"a:1"})"), "subscribed");
}

TEST_P(hub_tokens, a_refusal_makes_no_channel_and_is_the_same_whether_there_is_one) {
    const client owner = user("owner", R"({"**":["publish"]})", last());
    ASSERT_EQ(
        code(owner, R"({"op":"publish","id":2,"channel":"a:there","type":"t","payload":1})"), "published"
    );
    const std::size_t channels = node.channel_count();
    const client c = user("ann", "{}");
    for (const std::string op : {"subscribe", "publish", "history", "presence", "request"}) {
        const auto ask = [&](const std::string& channel) {
            return answer(
                c, R"({"op":")" + op + R"(","id":2,"channel":"a:)" + channel +
                       R"(","type":"t","payload":1,"to":"12345678"})"
            );
        };
        EXPECT_EQ(ask("there"), ask("nowhere"));
        EXPECT_EQ(
            code(
                c, R"({"op":")" + op + R"(","id":2,"channel":"a:x","type":"t","payload":1,"to":"12345678"})"
            ),
            "forbidden"
        );
    }
    EXPECT_EQ(node.channel_count(), channels);
}

TEST_P(hub_tokens, a_namespace_gives_permissions_to_everybody_to_users_and_to_the_owner) {
    const client c = user("ann", "{}");
    EXPECT_EQ(code(c, R"({"op":"publish","id":2,"channel":"open:bob","type":"t","payload":1})"), "published");
    EXPECT_EQ(code(c, R"({"op":"subscribe","id":2,"channel":"open:bob"})"), "subscribed");
    EXPECT_EQ(code(c, R"({"op":"presence","id":2,"channel":"open:bob"})"), "forbidden");
    EXPECT_EQ(code(c, R"({"op":"presence","id":2,"channel":"open:annabel"})"), "forbidden");
    EXPECT_EQ(code(c, R"({"op":"presence","id":2,"channel":"open:ann"})"), "presence");
    EXPECT_EQ(code(c, R"({"op":"presence","id":2,"channel":"open:ann:more"})"), "presence");
}

TEST_P(hub_tokens, somebody_unknown_gets_what_everybody_gets) {
    config c = settings();
    c.anonymous = true;
    test_node lets_in(1, c);
    const client a = lets_in.connect(0, "ada-session");
    lets_in.say(a, R"({"op":"subscribe","id":2,"channel":"open:1"})");
    lets_in.say(a, R"({"op":"publish","id":3,"channel":"open:1","type":"t","payload":1})");
    EXPECT_EQ(members_of(lets_in.heard(a), "op"), (texts{"subscribed", "error"}));
}

TEST_P(hub_tokens, a_position_is_no_way_to_read_history) {  // 4.23
    const client writer = user("writer", R"({"a:1":["publish"]})");
    const std::string published =
        answer(writer, R"({"op":"publish","id":2,"channel":"a:1","type":"t","payload":1})");
    const std::string at_begin = R"({"op":"subscribe","id":2,"channel":"a:1","offset":0,"epoch":")" +
                                 member_of(published, "epoch") + R"("})";
    node.pass(limits().recover_ms - 1'000);
    const client soon = user("soon", R"({"a:1":["subscribe"]})");
    EXPECT_EQ(member_of(answer(soon, at_begin), "replay"), "1") << "missed a moment ago";
    node.pass(2'000);
    const client late = user("late", R"({"a:1":["subscribe"]})");
    const std::string refused = answer(late, at_begin);
    EXPECT_EQ(member_of(refused, "recovered"), "false");
    EXPECT_EQ(member_of(refused, "reason"), "forbidden");
    EXPECT_EQ(member_of(refused, "replay"), "0");
    const client reader = user("reader", R"({"a:1":["subscribe","history"]})");
    EXPECT_EQ(member_of(answer(reader, at_begin), "replay"), "1");
}

TEST_P(hub_tokens, messages_say_who_published_them_and_clients_cannot) {  // 4.24
    const client ann = user("ann", R"({"a:1":["publish","subscribe"]})");
    node.say(ann, R"({"op":"subscribe","id":2,"channel":"a:1"})");
    node.heard(ann);
    node.say(ann, R"({"op":"publish","channel":"a:1","type":"t","user":"bob","payload":1})");
    node.say(ann, R"({"op":"publish","channel":"a:1","type":"t","transient":true,"payload":2})");
    EXPECT_EQ(members_of(node.heard(ann), "user"), (texts{"ann", "ann"}));
}

TEST_P(hub_tokens, what_a_token_shows_is_not_taken_for_the_payload) {  // 3.2
    access::principal p;
    p.user = "ann";
    p.info = R"({"payload":"payload"})";
    p.expires_ms = node.now().wall_ms + hour_ms;
    ASSERT_EQ(p.allowed.add("a:1", operations::all()), "");
    node.know("ann", {std::make_shared<const access::principal>(p)});
    const client watcher = user("watcher", R"({"a:1":["subscribe","presence"]})");
    node.say(watcher, R"({"op":"subscribe","id":2,"channel":"a:1","presence":true})");
    node.heard(watcher);
    const client ann = sign_in("ann", last());
    node.say(ann, R"({"op":"subscribe","id":2,"channel":"a:1","payload":7})");
    const texts joined = node.heard(watcher);
    ASSERT_EQ(joined.size(), 1u);
    EXPECT_EQ(member_of(joined[0], "payload"), "7") << joined[0];
}

TEST_P(hub_tokens, members_have_the_name_and_what_the_token_shows) {
    const client ann = user("ann", R"({"a:1":["subscribe","show","presence"]})");
    const client bob = user("bob", R"({"a:1":["subscribe","show"]})", last());
    node.say(ann, R"({"op":"subscribe","id":2,"channel":"a:1","presence":true,"payload":{"user":"eve"}})");
    node.heard(ann);
    node.say(bob, R"({"op":"subscribe","id":2,"channel":"a:1","payload":{}})");
    const texts joined = node.heard(ann);
    ASSERT_EQ(joined.size(), 1u);
    EXPECT_NE(joined[0].find(R"("user":"bob","user_info":{"name":"bob"},"payload":{}})"), std::string::npos)
        << joined[0];
    const std::string list = answer(ann, R"({"op":"presence","id":3,"channel":"a:1"})");
    EXPECT_NE(
        list.find(R"("user":"ann","user_info":{"name":"ann"},"info":{"user":"eve"}})"), std::string::npos
    ) << list;
}

class hub_token_requests : public hub_tokens {
protected:
    void both_in(const std::string& ann_may, const std::string& bob_may) {
        ann = user("ann", R"({"a:1":["subscribe",)" + ann_may + "]}");
        bob = user("bob", R"({"a:1":["subscribe","show",)" + bob_may + "]}", last());
        for (const client c : {ann, bob})
            node.say(
                c, R"({"op":"subscribe","id":2,"channel":"a:1")" +
                       std::string(c.connection == bob.connection ? R"(,"payload":{}})" : "}")
            );
        node.heard(ann);
        node.heard(bob);
    }
    void ask() {
        node.say(
            ann, R"({"op":"request","id":7,"channel":"a:1","to":")" + public_name("session-bob") +
                     R"(","type":"q","payload":1})"
        );
    }
    client ann, bob;
};

INSTANTIATE_TEST_SUITE_P(Shards, hub_token_requests, ::testing::Values(1, 3));

TEST_P(hub_token_requests, a_question_says_who_asks) {
    both_in(R"("request")", R"("respond")");
    ask();
    EXPECT_EQ(members_of(node.heard(bob), "user"), texts{"ann"});
}

TEST_P(hub_token_requests, who_may_not_answer_is_not_asked) {
    both_in(R"("request")", R"("publish")");
    ask();
    EXPECT_TRUE(node.heard(bob).empty());
    EXPECT_EQ(members_of(node.heard(ann), "code"), texts{"not_present"});
}

TEST_P(hub_token_requests, a_permission_to_answer_can_end_while_the_question_is_open) {
    both_in(R"("request")", R"("respond")");
    ask();
    node.heard(bob);
    issue("weaker", "bob", R"({"a:1":["subscribe","show"]})");
    node.say(bob, R"({"op":"refresh","id":3,"token":"weaker"})");
    node.heard(bob);
    node.say(bob, R"({"op":"respond","request":1,"payload":1})");
    EXPECT_EQ(members_of(node.heard(bob), "code"), texts{"forbidden"});
    EXPECT_EQ(members_of(node.heard(ann), "code"), texts{"not_present"});
}

TEST_P(hub_token_requests, a_permission_to_ask_can_end_before_the_answer_comes) {
    both_in(R"("request")", R"("respond")");
    ask();
    node.heard(bob);
    issue("weaker", "ann", R"({"a:1":["subscribe"]})");
    node.say(ann, R"({"op":"refresh","id":3,"token":"weaker"})");
    EXPECT_EQ(members_of(node.heard(ann), "op"), (texts{"refreshed", "error"}));
    node.say(bob, R"({"op":"respond","request":1,"payload":1})");
    EXPECT_TRUE(node.heard(ann).empty());
}

TEST_P(hub_tokens, a_new_token_keeps_what_it_permits_and_ends_what_it_does_not) {  // 4.22
    const client c = user("ann", R"({"a:*":["subscribe","publish"]})");
    const client other = user("other", R"({"a:*":["publish"]})");
    for (const std::string channel : {"a:1", "a:2"})
        node.say(c, R"({"op":"subscribe","id":2,"channel":")" + channel + R"("})");
    node.heard(c);
    issue("less", "ann", R"({"a:1":["subscribe"]})", 2 * hour_ms);
    node.say(c, R"({"op":"refresh","id":9,"token":"less"})");
    const texts heard = node.heard(c);
    ASSERT_EQ(members_of(heard, "op"), (texts{"refreshed", "unsubscribed"}));
    EXPECT_EQ(member_of(heard[0], "id"), "9");
    EXPECT_EQ(member_of(heard[0], "expires_in_ms"), std::to_string(2 * hour_ms));
    EXPECT_EQ(heard[1], R"({"op":"unsubscribed","channel":"a:2","reason":"forbidden"})");
    for (const std::string channel : {"a:1", "a:2"})
        node.say(other, R"({"op":"publish","channel":")" + channel + R"(","type":"t","payload":1})");
    EXPECT_EQ(members_of(node.heard(c), "channel"), texts{"a:1"});
    EXPECT_EQ(code(c, R"({"op":"publish","id":3,"channel":"a:1","type":"t","payload":1})"), "forbidden");
}

TEST_P(hub_tokens, nothing_that_was_on_its_way_arrives_after_the_permission_has_ended) {
    const client writer = user("writer", R"({"**":["publish"]})");
    node.say(writer, R"({"op":"publish","channel":"a:1","type":"t","payload":1})");
    node.heard(writer);
    const client c = user("ann", R"({"a:*":["subscribe","history","presence"]})");
    issue("none", "ann", "{}");
    node.say(
        c, R"({"op":"subscribe","id":2,"channel":"a:1","latest":1})"
           "\n"
           R"({"op":"history","id":3,"channel":"a:1"})"
           "\n"
           R"({"op":"presence","id":4,"channel":"a:1"})"
    );
    const texts before = node.heard_so_far(c);
    node.say(c, R"({"op":"refresh","id":5,"token":"none"})");
    const texts after = node.heard(c);
    if (before.empty()) {  // the owner of the channel is another shard
        EXPECT_EQ(members_of(after, "id"), (texts{"5", "2", "3", "4"}));
        EXPECT_EQ(members_of(after, "code"), (texts{"", "forbidden", "forbidden", "forbidden"}));
    } else {
        EXPECT_EQ(members_of(after, "op"), (texts{"refreshed", "unsubscribed"}));
    }
    EXPECT_EQ(node.subscription_count(), 0u);
}

TEST_P(hub_tokens, a_refresh_with_a_token_of_somebody_else_or_none_changes_nothing) {
    const client c = user("ann", R"({"a:*":["subscribe"]})");
    issue("bob", "bob", R"({"**":["subscribe"]})");
    EXPECT_EQ(code(c, R"({"op":"refresh","id":2,"token":"bob"})"), "forbidden");
    EXPECT_EQ(code(c, R"({"op":"refresh","id":2,"token":"made-up"})"), "unauthorized");
    node.know("down", {nullptr, true});
    EXPECT_EQ(code(c, R"({"op":"refresh","id":2,"token":"down"})"), "overloaded");
    EXPECT_EQ(code(c, R"({"op":"subscribe","id":2,"channel":"a:1"})"), "subscribed");
    EXPECT_EQ(code(c, R"({"op":"subscribe","id":2,"channel":"b:1"})"), "forbidden");
    EXPECT_EQ(node.ended(c), close_code::none);
}

TEST_P(hub_tokens, a_connection_ends_ten_seconds_after_its_token) {
    issue("short", "ann", "{}", 30'000);
    const client c = sign_in("short");
    node.heard(c);
    node.set_clock(24 * hour_ms);  // the clock of the wall may be set, and nothing comes of it
    node.pass(39'000);
    EXPECT_EQ(node.ended(c), close_code::none);
    node.pass(2'000);
    EXPECT_EQ(node.ended(c), close_code::token_expired);
    EXPECT_EQ(node.session_count(), 0u);
}

TEST_P(hub_tokens, a_new_token_in_time_keeps_the_connection) {
    issue("short", "ann", "{}", 30'000);
    const client c = sign_in("short");
    node.pass(20'000);
    issue("next", "ann", "{}", 60'000);
    node.say(c, R"({"op":"refresh","id":2,"token":"next"})");
    node.pass(45'000);
    node.say(c, R"({"op":"pong"})");
    EXPECT_EQ(node.ended(c), close_code::none);
    node.pass(26'000);
    EXPECT_EQ(node.ended(c), close_code::token_expired);
}

class hub_revocation : public hub_tokens {
protected:
    void revoke(const struct revoke& what) {
        for (shard_index s = 0; s < node.shards(); ++s) node.post(s, to_session(what));
        node.settle();
    }
};

INSTANTIATE_TEST_SUITE_P(Shards, hub_revocation, ::testing::Values(1, 3));

TEST_P(hub_revocation, ends_the_connections_of_the_user_at_once_and_no_others) {
    const client ann = user("ann", "{}"), bob = user("bob", "{}", last());
    revoke({"ann", {}, node.now().wall_ms + 1, 0, close_code::token_expired});
    EXPECT_EQ(node.ended(ann), close_code::token_expired);
    EXPECT_EQ(member_of(node.heard(ann).at(0), "reason"), "revoked");
    EXPECT_EQ(node.ended(bob), close_code::none);
}

TEST_P(hub_revocation, concerns_one_token_or_those_from_before_a_time) {
    const client ann = user("ann", "{}"), bob = user("bob", "{}", last());
    revoke({{}, "bob", node.now().wall_ms + 1, 0, close_code::unauthorized});
    EXPECT_EQ(node.ended(bob), close_code::unauthorized);
    revoke({{}, {}, node.now().wall_ms, 0, close_code::token_expired});
    EXPECT_EQ(node.ended(ann), close_code::none) << "its token is not older";
    revoke({{}, {}, node.now().wall_ms + 1, 0, close_code::token_expired});
    EXPECT_EQ(node.ended(ann), close_code::token_expired);
}

TEST_P(hub_revocation, with_notice_waits_for_a_new_token) {
    const client ann = user("ann", "{}"), bob = user("bob", "{}", last());
    revoke({{}, {}, node.now().wall_ms + 1, 30'000, close_code::token_expired});
    EXPECT_EQ(node.heard(ann), texts{R"({"op":"refresh_wanted","within_ms":30000,"reason":"revoked"})"});
    issue("new", "ann", "{}");
    node.say(ann, R"({"op":"refresh","id":2,"token":"new"})");
    node.pass(20'000);
    for (const client c : {ann, bob}) node.say(c, R"({"op":"pong"})");
    node.pass(11'000);
    EXPECT_EQ(node.ended(ann), close_code::none);
    EXPECT_EQ(node.ended(bob), close_code::token_expired);
}

TEST_P(hub_tokens, tell_the_client_to_which_channels_to_subscribe) {  // 4.26
    issue("t", "ann", R"({"room:*":["subscribe"]})", hour_ms, {"room:1", "secret", "open:1"});
    const client ann = sign_in("t");
    texts heard = node.heard(ann);
    ASSERT_FALSE(heard.empty());
    heard.erase(heard.begin());
    EXPECT_EQ(
        heard, (texts{R"({"op":"subscribe","channel":"room:1"})", R"({"op":"subscribe","channel":"open:1"})"})
    ) << "nothing is said of what she may not have";
    EXPECT_EQ(node.subscription_count(), 0u) << "she knows from where on she wants it";
    EXPECT_EQ(code(ann, R"({"op":"subscribe","id":2,"channel":"room:1"})"), "subscribed");
}

TEST_P(hub_tokens, that_are_newer_tell_the_channels_that_they_add) {  // 4.26
    issue("t", "ann", R"({"room:*":["subscribe"]})", hour_ms, {"room:1"});
    const client ann = sign_in("t");
    node.heard(ann);
    issue("u", "ann", R"({"room:*":["subscribe"]})", hour_ms, {"room:1", "room:2"});
    node.say(ann, R"({"op":"refresh","id":2,"token":"u"})");
    const texts heard = node.heard(ann);
    ASSERT_EQ(heard.size(), 2u);
    EXPECT_EQ(member_of(heard[0], "op"), "refreshed");
    EXPECT_EQ(heard[1], R"({"op":"subscribe","channel":"room:2"})");
}

TEST_P(hub_tokens, channels_can_be_given_to_a_user_and_taken_at_any_time) {  // 4.26, 11.11
    const client ann = user("ann", R"({"room:*":["subscribe"]})");
    const client bob = user("bob", R"({"room:*":["subscribe"]})", last());
    const auto tell = [&](to_session&& value) {
        for (shard_index i = 0; i < node.shards(); ++i) node.post(i, to_session(value));
        node.settle();
    };
    tell(offer_channel{{}, "room:1", "ann"});
    EXPECT_EQ(node.heard(ann), texts{R"({"op":"subscribe","channel":"room:1"})"});
    EXPECT_EQ(node.heard(bob), texts{});
    node.say(ann, R"({"op":"subscribe","id":2,"channel":"room:1"})");
    node.say(bob, R"({"op":"subscribe","id":2,"channel":"room:1"})");
    node.heard(ann);
    node.heard(bob);
    tell(offer_channel{{}, "room:1", "ann"});
    tell(offer_channel{{}, "secret", "ann"});
    EXPECT_EQ(node.heard(ann), texts{}) << "has it, or may not";
    tell(end_subscription{{}, "room:1", "ann"});
    EXPECT_EQ(node.heard(ann), texts{R"({"op":"unsubscribed","channel":"room:1","reason":"forbidden"})"});
    EXPECT_EQ(node.heard(bob), texts{});
    EXPECT_EQ(node.subscription_count(), 1u);
}

TEST_P(hub_tokens, what_would_be_refused_can_be_asked_before_there_is_a_connection) {
    issue("t", "ann", R"({"room:*":["subscribe"]})");
    const client ann = sign_in("t");
    node.heard(ann);
    access::principal p;
    p.user = "ann";
    p.allowed = access::grants::parse(R"({"room:*":["subscribe"]})").value();
    const auto who = std::make_shared<const access::principal>(p);
    command c;
    c.op = command_op::subscribe;
    c.id = 1;
    c.channel = "room:1";
    EXPECT_FALSE(node.at(0).refusal_of(face::event_stream, who, c));
    EXPECT_EQ(node.at(0).refusal_of(face::event_stream, nullptr, c)->code, error_code::forbidden);
    c.channel = "secret";
    EXPECT_EQ(node.at(0).refusal_of(face::event_stream, who, c)->code, error_code::forbidden);
    EXPECT_EQ(node.channel_count(), 0u);
}

}  // namespace
}  // namespace pulsewire::hub
