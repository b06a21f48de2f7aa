// Attacks of one client on all others or on the process: sums that grow without a bound, keys that are
// guessed, names that collide.

#include "common/hub/test_node.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace pulsewire::hub {
namespace {

using lines = test_node::lines;

std::string publish_line(
    int id, const std::string& channel, const std::string& payload, const std::string& fields = {}
) {
    return R"({"op":"publish","id":)" + std::to_string(id) + R"(,"channel":")" + channel + R"(","type":"t")" +
           fields + R"(,"payload":)" + payload + "}";
}

std::string subscribe_line(const std::string& channel, const std::string& fields = {}) {
    return R"({"op":"subscribe","id":1,"channel":")" + channel + "\"" + fields + "}";
}

// --- keys stand for contents (protocol 4.9) ---

class reused_key : public ::testing::TestWithParam<durability> {
protected:
    static config keeping(durability d) {
        config c;
        c.default_namespace.keeps = d;
        return c;
    }
    // The only answer to a publish of `eve`, when all is on the disk.
    std::string answer_to(const std::string& line) {
        node.say(eve, line);
        node.write(0);
        return node.heard(eve).at(0);
    }

    test_node node{1, keeping(GetParam())};
    test_node::client ada = node.connect(0, "session-ada"), eve = node.connect(0, "session-eve");
};
INSTANTIATE_TEST_SUITE_P(
    with, reused_key, ::testing::Values(durability::memory, durability::disk),
    [](const auto& tested) { return tested.param == durability::disk ? "disk" : "memory"; }
);

TEST_P(reused_key, with_another_content_is_an_error_and_never_a_silent_success) {
    node.say(ada, publish_line(1, "a", "1", R"(,"key":"k")"));
    node.write(0);
    node.heard(ada);
    EXPECT_EQ(member_of(answer_to(publish_line(2, "a", "2", R"(,"key":"k")")), "code"), "key_reused");
    EXPECT_EQ(
        member_of(
            answer_to(R"({"op":"publish","id":3,"channel":"a","type":"u","key":"k","payload":1})"), "code"
        ),
        "key_reused"
    );
    EXPECT_EQ(
        member_of(answer_to(publish_line(4, "a", "1", R"(,"key":"k","conflate":"c")")), "code"), "key_reused"
    );
    EXPECT_EQ(member_of(answer_to(publish_line(5, "a", "1", R"(,"key":"k")")), "offset"), "1")
        << "the same from another session, as out of an outbox that changed hands, is the same";
    EXPECT_EQ(member_of(answer_to(publish_line(6, "b", "2", R"(,"key":"k")")), "offset"), "1")
        << "keys are known by channel";
    EXPECT_EQ(node.owner_of("a").count().keys_reused, 3u);
}

TEST_P(reused_key, is_an_error_before_the_first_is_safe_too) {
    node.say(ada, publish_line(1, "a", "1", R"(,"key":"k")"));
    node.say(eve, publish_line(2, "a", "2", R"(,"key":"k")"));
    EXPECT_EQ(member_of(node.heard(eve).at(0), "code"), "key_reused");
}

TEST_P(reused_key, of_a_transient_publish_is_not_remembered) {
    node.say(ada, publish_line(1, "a", "1", R"(,"key":"k","transient":true)"));
    node.heard(ada);
    EXPECT_EQ(member_of(answer_to(publish_line(2, "a", "2", R"(,"key":"k")")), "offset"), "1");
}

TEST_P(reused_key, of_many_strangers_does_not_push_out_another_ones) {
    config c = keeping(GetParam());
    c.bounds.idempotency_keys_max = 1'000;
    c.bounds.commands_per_second = 0;
    test_node small(1, c);
    const auto one = small.connect(0, "session-one");
    small.say(one, publish_line(1, "a", "1", R"(,"key":"mine")"));
    small.write(0);
    for (int s = 0; s < 20; ++s) {
        const auto stranger = small.connect(0, "stranger-" + std::to_string(s));
        for (int i = 0; i < 200; ++i)
            small.say(
                stranger,
                publish_line(2, "a", "0", R"(,"key":")" + std::to_string(s) + "." + std::to_string(i) + "\"")
            );
        small.write(0);
    }
    small.heard(one);
    small.say(one, publish_line(9, "a", "1", R"(,"key":"mine")"));
    small.write(0);
    EXPECT_EQ(member_of(small.heard(one).at(0), "offset"), "1");
}

// --- all histories together ---

class small_histories : public ::testing::Test {
protected:
    static config bounded() {
        config c;
        c.bounds.history_bytes_total_max = 100'000;
        c.bounds.commands_per_second = 0;
        return c;
    }
    void publish(const std::string& channel, std::size_t bytes) {
        node.say(ada, publish_line(1, channel, "\"" + std::string(bytes, 'x') + "\""));
    }
    std::uint64_t bytes() { return node.at(0).history_bytes(); }

    test_node node{1, bounded()};
    test_node::client ada = node.connect(0, "session-ada"), bob = node.connect(0, "session-bob");
};

TEST_F(small_histories, together_stay_within_their_bound) {
    for (int i = 0; i < 1'000; ++i) {
        publish("m:" + std::to_string(i), 1'000);
        ASSERT_LE(bytes(), 100'000u);
    }
    EXPECT_GT(bytes(), 90'000u) << "what may be kept is kept";
    EXPECT_LT(node.channel_count(), 100u) << "a channel that holds nothing and has nobody is forgotten";
    EXPECT_GT(node.at(0).count().histories_shrunk, 800u);
}

TEST_F(small_histories, of_tiny_messages_stay_within_their_bound_too) {
    for (int i = 0; i < 5'000; ++i) publish("m:" + std::to_string(i), 1);
    EXPECT_LE(bytes(), 100'000u);
    EXPECT_LT(node.channel_count(), 150u);
}

TEST_F(small_histories, are_given_up_by_the_channel_used_least_recently_first) {
    publish("old", 10'000);
    publish("busy", 10'000);
    for (int i = 0; i < 20; ++i) {
        publish("new:" + std::to_string(i), 10'000);
        node.say(bob, R"({"op":"history","id":1,"channel":"busy"})");
    }
    EXPECT_NE(node.heard(bob).back().find("xxx"), std::string::npos) << "reading counts as use";
    node.say(bob, R"({"op":"history","id":1,"channel":"old"})");
    EXPECT_EQ(member_of(node.heard(bob).at(0), "payload"), "[]");
}

TEST_F(small_histories, that_were_given_up_are_told_as_expired) {
    node.say(bob, subscribe_line("a"));
    const std::string epoch = member_of(node.heard(bob).at(0), "epoch");
    publish("a", 1'000);
    for (int i = 0; i < 200; ++i) publish("m:" + std::to_string(i), 1'000);
    const auto late = node.connect(0, "session-late");
    node.say(late, subscribe_line("a", R"(,"epoch":")" + epoch + R"(","offset":0)"));
    const lines said = node.heard(late);
    ASSERT_EQ(said.size(), 1u);
    EXPECT_EQ(member_of(said[0], "recovered"), "false");
    EXPECT_EQ(member_of(said[0], "reason"), "expired");
}

TEST_F(small_histories, that_were_forgotten_with_their_channel_are_told_as_another_epoch) {
    publish("a", 1'000);
    node.say(bob, R"({"op":"history","id":1,"channel":"a"})");
    const std::string epoch = member_of(node.heard(bob).at(0), "epoch");
    for (int i = 0; i < 200; ++i) publish("m:" + std::to_string(i), 1'000);
    node.say(bob, subscribe_line("a", R"(,"epoch":")" + epoch + R"(","offset":1)"));
    EXPECT_EQ(member_of(node.heard(bob).at(0), "reason"), "epoch_changed");
}

TEST_F(small_histories, full_of_channels_with_subscribers_refuse_a_new_one) {
    config c = bounded();
    c.bounds.channels_per_connection_max = 1'000;
    test_node full(1, c);
    const auto eve = full.connect(0, "session-eve");
    for (int i = 0; i < 300; ++i) full.say(eve, subscribe_line("m:" + std::to_string(i)));
    EXPECT_EQ(member_of(full.heard(eve).back(), "code"), "overloaded");
    EXPECT_LE(full.at(0).history_bytes(), 100'000u);
    full.close(eve);
    EXPECT_EQ(full.channel_count(), 0u);
    EXPECT_EQ(full.at(0).history_bytes(), 0u);
}

TEST(durable_histories, give_up_on_the_disk_what_they_give_up_in_memory) {
    config c;
    c.default_namespace.keeps = durability::disk;
    c.bounds.history_bytes_total_max = 100'000;
    c.bounds.commands_per_second = 0;
    test_node node(1, c);
    const auto ada = node.connect(0, "session-ada");
    std::size_t dropped = 0;
    for (int i = 0; i < 200; ++i) {
        node.say(ada, publish_line(1, "m:" + std::to_string(i), "\"" + std::string(1'000, 'x') + "\""));
        node.write(0);
        for (const store_op& op : node.write(0)) dropped += std::holds_alternative<drop_channel>(op.what);
    }
    EXPECT_LE(node.at(0).history_bytes(), 100'000u);
    EXPECT_GT(dropped, 100u);
}

// --- reading ---

TEST(reading, makes_no_channel) {
    test_node node;
    const auto eve = node.connect(0, "session-eve");
    for (int i = 0; i < 50; ++i) {
        const std::string channel = "x" + std::to_string(i);
        node.say(eve, R"({"op":"history","id":1,"channel":")" + channel + "\"}");
        node.say(eve, R"({"op":"presence","id":2,"channel":")" + channel + "\"}");
        node.say(eve, subscribe_line(channel, R"(,"latest":5)"));
        node.say(eve, R"({"op":"unsubscribe","channel":")" + channel + "\"}");
    }
    EXPECT_EQ(node.heard(eve).size(), 150u);
    EXPECT_EQ(node.channel_count(), 0u) << "a channel that holds nothing and has nobody costs nothing";
}

TEST(reading, of_a_channel_without_publications_gives_the_same_position_every_time) {
    test_node node(3);
    const auto bob = node.connect(0, "session-bob");
    node.say(bob, R"({"op":"history","id":1,"channel":"a"})");
    const std::string epoch = member_of(node.heard(bob).at(0), "epoch");
    EXPECT_EQ(epoch.size(), 8u);
    node.say(bob, subscribe_line("a"));
    EXPECT_EQ(member_of(node.heard(bob).at(0), "epoch"), epoch);
    node.say(bob, R"({"op":"unsubscribe","id":2,"channel":"a"})");
    node.heard(bob);
    node.say(bob, subscribe_line("a", R"(,"epoch":")" + epoch + R"(","offset":0)"));
    EXPECT_EQ(member_of(node.heard(bob).at(0), "recovered"), "true");
    node.say(bob, subscribe_line("b"));
    EXPECT_NE(member_of(node.heard(bob).at(0), "epoch"), epoch);
}

TEST(reading, after_its_last_member_has_left_keeps_no_channel) {
    test_node node;
    const auto bob = node.connect(0, "session-bob");
    node.say(bob, subscribe_line("a", R"(,"payload":{"name":"Bob"})"));
    node.close(bob);
    EXPECT_EQ(node.channel_count(), 1u) << "the leave is not told yet";
    node.pass(5'000);
    EXPECT_EQ(node.channel_count(), 0u);
}

// Pairs of eight bytes that std::hash of libstdc++ (MurmurHash64A) brings to the same state are found within
// seconds; here it is enough that both tables and owners depend on the secret.
// --- a list of members comes in pages (protocol 4.6, 4.16) ---

class large_presence : public ::testing::TestWithParam<int> {
protected:
    static constexpr int members = 300;
    large_presence() {
        const std::string info = "\"" + std::string(1'000, 'x') + "\"";
        for (int i = 0; i < members; ++i) {
            const auto c =
                node.connect(static_cast<shard_index>(i % node.shards()), "session-" + std::to_string(i));
            names.insert(public_name("session-" + std::to_string(i)));
            node.say(c, subscribe_line("a", R"(,"payload":)" + info));
        }
        node.settle();
    }
    // The names in a list, or in a join.
    static std::vector<std::string> named_in(const std::string& text) {
        constexpr std::string_view key = "\"session\":\"";
        std::vector<std::string> found;
        for (std::size_t at = 0; (at = text.find(key, at)) != std::string::npos;) {
            at += key.size();
            found.push_back(text.substr(at, text.find('"', at) - at));
        }
        return found;
    }

    test_node node{static_cast<shard_index>(GetParam())};
    std::set<std::string> names;
};
INSTANTIATE_TEST_SUITE_P(shards, large_presence, ::testing::Values(1, 3));

TEST_P(large_presence, comes_to_a_new_subscriber_as_a_page_and_joins) {
    for (int round = 0; round < 2; ++round) {
        const auto ada = node.connect(0, "ada-session");
        node.say(ada, subscribe_line("a", R"(,"presence":true)"));
        const lines heard = node.heard(ada);
        ASSERT_GT(heard.size(), 2u);
        EXPECT_EQ(member_of(heard[0], "op"), "subscribed");
        std::multiset<std::string> seen;
        for (std::size_t i = 1; i < heard.size(); ++i) {
            EXPECT_LE(heard[i].size(), presence_page_bytes_max + 100);
            EXPECT_EQ(member_of(heard[i], "op"), i == 1 ? "presence" : "join");
            for (auto& name : named_in(heard[i])) seen.insert(name);
        }
        EXPECT_EQ(seen, std::multiset<std::string>(names.begin(), names.end())) << "each once";
        node.close(ada);
        // The second round sees a list that has changed since it was made for the first.
        const auto late = node.connect(0, "late-session");
        node.say(late, subscribe_line("a", R"(,"payload":1)"));
        node.settle();
        names.insert(public_name("late-session"));
    }
}

TEST_P(large_presence, is_asked_for_page_by_page) {
    const auto ada = node.connect(0, "ada-session");
    std::multiset<std::string> seen;
    std::string after, more = "true";
    for (int pages = 0; more == "true"; ++pages) {
        ASSERT_LT(pages, 10);
        node.say(
            ada, R"({"op":"presence","id":1,"channel":"a")" +
                     (after.empty() ? "" : R"(,"after":")" + after + "\"") + "}"
        );
        const lines heard = node.heard(ada);
        ASSERT_EQ(heard.size(), 1u);
        EXPECT_LE(heard[0].size(), presence_page_bytes_max + 100);
        more = member_of(heard[0], "more");
        const auto page = named_in(heard[0]);
        ASSERT_FALSE(page.empty());
        after = page.back();
        seen.insert(page.begin(), page.end());
    }
    EXPECT_EQ(seen, std::multiset<std::string>(names.begin(), names.end()));
}

// --- names ---

TEST(names, are_hashed_with_the_secret_of_the_node) {
    int moved = 0;
    for (int i = 0; i < 1'000; ++i) {
        const std::string name = "chat:" + std::to_string(i);
        moved += owner_of(name, 8, {1, 2}) != owner_of(name, 8, {3, 4});
        EXPECT_EQ(owner_of(name, 8, {1, 2}), owner_of(name, 8, {1, 2}));
    }
    EXPECT_GT(moved, 800);
}

// Protocol 4.2: the name of a client can be read by anybody in a list of members.
class stolen_name : public ::testing::TestWithParam<int> {
protected:
    static config asking() {
        config c;
        c.default_namespace.client_requests = true;
        return c;
    }
    test_node::client shown(const std::string& session, const std::string& info) {
        const auto c = node.connect(static_cast<shard_index>(node.session_count() % node.shards()), session);
        node.say(c, subscribe_line("d:1", R"(,"presence":true,"payload":)" + info));
        node.heard(c);
        return c;
    }

    test_node node{static_cast<shard_index>(GetParam()), asking()};
    test_node::client ada = shown("ada-session", R"({"lock":1})"), bob = shown("bob-session", "{}");
};
INSTANTIATE_TEST_SUITE_P(shards, stolen_name, ::testing::Values(1, 3));

TEST_P(stolen_name, takes_nobodys_place) {
    node.heard(bob);
    const auto eve = shown(ada_name, R"({"lock":"evil"})");
    const lines seen = node.heard(bob);
    ASSERT_EQ(seen.size(), 1u);
    EXPECT_EQ(member_of(seen[0], "session"), public_name(ada_name)) << "somebody else has come";
    node.heard(ada);
    node.say(
        bob, R"({"op":"request","id":9,"channel":"d:1","to":")" + ada_name + R"(","type":"t","payload":1})"
    );
    EXPECT_EQ(node.heard(eve), lines{});
    EXPECT_EQ(member_of(node.heard(ada).at(0), "op"), "request") << "the lock is asked, not the thief";
}

TEST_P(stolen_name, hides_nothing_from_its_owner_and_keeps_it_in_no_list) {
    const auto eve = shown(ada_name, "{}");
    node.heard(ada);
    node.say(eve, publish_line(5, "d:1", "1", R"(,"echo":false)"));
    EXPECT_NE(member_of(node.heard(ada).at(0), "except"), ada_name);
    node.close(ada);
    node.heard(bob);
    node.pass(5'000);
    const lines seen = node.heard(bob);
    ASSERT_EQ(seen.size(), 1u);
    EXPECT_EQ(member_of(seen[0], "op") + " " + member_of(seen[0], "session"), "leave " + ada_name);
}

// --- what all have together is shared by source ---

class sources : public ::testing::Test {
protected:
    static constexpr std::uint64_t crowded = 1, quiet = 2;
    static config bounded() {
        config c;
        c.bounds.presence_members_max = 3;
        c.bounds.idempotency_keys_max = 16;
        return c;
    }
    test_node node{2, bounded()};
};

TEST_F(sources, a_crowd_from_one_address_does_not_keep_others_off_the_list_of_members) {
    const auto watcher = node.connect(1, "session-watcher");
    node.say(watcher, subscribe_line("a", R"(,"presence":true)"));
    for (int i = 0; i < 5; ++i)
        node.say(
            node.connect(0, "session-crowd-" + std::to_string(i), crowded),
            subscribe_line("a", R"(,"payload":"crowd")")
        );
    node.heard(watcher);
    const auto visitor = node.connect(0, "session-visitor", quiet);
    node.say(visitor, subscribe_line("a", R"(,"presence":true,"payload":"visitor")"));
    const lines told = node.heard(watcher);
    ASSERT_EQ(told.size(), 2u);
    EXPECT_EQ(member_of(told[0], "op"), "leave");
    EXPECT_EQ(member_of(told[1], "op"), "join");
    EXPECT_NE(told[1].find("\"visitor\""), std::string::npos);
    node.heard(visitor);
    node.say(visitor, R"({"op":"presence","id":2,"channel":"a"})");
    EXPECT_NE(node.heard(visitor).at(0).find("\"visitor\""), std::string::npos);
}

TEST_F(sources, many_sessions_of_one_address_flush_their_own_keys) {
    const auto ada = node.connect(0, "session-ada", quiet);
    node.say(ada, publish_line(1, "a", "1", R"(,"key":"mine")"));
    for (int i = 0; i < 40; ++i)
        node.say(
            node.connect(0, "session-crowd-" + std::to_string(i), crowded),
            publish_line(1, "a", "2", R"(,"key":"k)" + std::to_string(i) + "\"")
        );
    node.heard(ada);
    node.say(ada, publish_line(2, "a", "1", R"(,"key":"mine")"));
    EXPECT_EQ(member_of(node.heard(ada).at(0), "offset"), "1") << "the repetition is known";
}

}  // namespace
}  // namespace pulsewire::hub
