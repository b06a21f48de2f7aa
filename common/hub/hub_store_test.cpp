// Durable channels: what is shown and acknowledged when, and what a restart brings back.

#include "common/exchange/store_image.hpp"
#include "common/hub/test_node.hpp"

#include <gtest/gtest.h>

namespace pulsewire::hub {
namespace {

using lines = test_node::lines;

config durable_config() {
    config c;
    c.default_namespace.keeps = durability::disk;
    c.default_namespace.history_count_max = 10;
    c.namespaces["memory"] = {};
    c.store_id = 7;
    return c;
}

// The payload is the id, unless it is given: what repeats a publish repeats its payload.
std::string publish_line(
    int id, const std::string& key = {}, const std::string& channel = "a", const std::string& payload = {}
) {
    return R"({"op":"publish","id":)" + std::to_string(id) +
           (key.empty() ? "" : R"(,"key":")" + key + R"(")") + R"(,"channel":")" + channel +
           R"(","type":"t","payload":)" + (payload.empty() ? std::to_string(id) : payload) + "}";
}

std::string repeat_line(int id, const std::string& key, const std::string& payload) {
    return publish_line(id, key, "a", payload);
}

lines ops_of(const lines& said) {
    return members_of(said, "op");
}

// A node of one shard with its store, which can be started again.
class durable_node {
public:
    explicit durable_node(config c = durable_config()) : config_(std::move(c)) { start(); }

    test_node& operator*() { return *node_; }
    test_node* operator->() { return node_.get(); }

    // Everything that the hub gave to the store so far is safe.
    void write() {
        for (const store_op& op : node_->write(0)) image_.apply(op);
    }
    // The process ends; what was not written is lost.
    void start() {
        config_.store_generation = image_.generation();
        node_ = std::make_unique<test_node>(static_cast<shard_index>(1), config_, ++lives_);
        node_->skip(lived_ms_);
        for (restored_channel& c : image_.channels()) node_->at(0).restore(std::move(c), node_->now());
        for (const restored_key& k : image_.keys()) node_->at(0).restore(k, node_->now());
    }
    void restart(std::int64_t after_ms = 1'000) {
        lived_ms_ = node_->now().monotonic_ms + after_ms;
        start();
    }
    store_image& image() { return image_; }

private:
    config config_;
    store_image image_;
    std::unique_ptr<test_node> node_;
    std::uint64_t lives_ = 0;
    std::int64_t lived_ms_ = 0;
};

TEST(durable_channel, a_publication_is_neither_shown_nor_acknowledged_before_it_is_safe) {
    durable_node n;
    const auto c = n->connect(0, "session-1");
    n->say(c, R"({"op":"subscribe","id":1,"channel":"a"})");
    n->say(c, publish_line(2));
    EXPECT_EQ(ops_of(n->heard(c)), lines{"subscribed"});
    const auto late = n->connect(0, "session-2");
    n->say(late, R"({"op":"subscribe","id":1,"channel":"a","latest":5})");
    n->say(late, R"({"op":"history","id":2,"channel":"a"})");
    const lines before = n->heard(late);
    EXPECT_EQ(member_of(before.at(0), "offset"), "0") << "not even to those who come now";
    EXPECT_EQ(member_of(before.at(1), "payload"), "[]");

    n.write();
    EXPECT_EQ(members_of(n->heard(c), "offset"), (lines{"1", "1"})) << "the publication and its answer";
    EXPECT_EQ(members_of(n->heard(late), "payload"), lines{"2"});
}

TEST(durable_channel, channels_of_other_namespaces_do_not_wait_for_the_disk) {
    durable_node n;
    const auto c = n->connect(0, "session-1");
    n->say(c, publish_line(1, "k", "memory:a"));
    EXPECT_EQ(ops_of(n->heard(c)), lines{"published"});
    EXPECT_TRUE(n->unwritten(0).empty());
}

TEST(durable_channel, what_is_published_meanwhile_keeps_its_order) {
    durable_node n;
    const auto c = n->connect(0, "session-1");
    n->say(c, R"({"op":"subscribe","id":1,"channel":"a"})");
    for (int i = 2; i <= 6; ++i) n->say(c, publish_line(i));
    n->heard(c);
    // Half of the batch is safe first.
    std::vector<store_op>& ops = n->unwritten(0);
    const std::uint64_t half = ops[ops.size() - 3].number;
    n->at(0).stored(half, n->now());
    n->carry_out(0);
    EXPECT_EQ(members_of(n->heard(c), "offset"), (lines{"1", "1", "2", "2", "3", "3"}));
    n.write();
    EXPECT_EQ(members_of(n->heard(c), "offset"), (lines{"4", "4", "5", "5"}));
}

TEST(durable_channel, a_repetition_before_the_first_is_safe_waits_for_the_same_answer) {
    durable_node n;
    const auto c = n->connect(0, "session-1");
    n->say(c, publish_line(1, "key-1"));
    n->say(c, repeat_line(2, "key-1", "1"));
    EXPECT_TRUE(n->heard(c).empty());
    n.write();
    const lines said = n->heard(c);
    EXPECT_EQ(ops_of(said), (lines{"published", "published"}));
    EXPECT_EQ(members_of(said, "offset"), (lines{"1", "1"}));
    n->say(c, repeat_line(3, "key-1", "1"));
    EXPECT_EQ(members_of(n->heard(c), "offset"), lines{"1"});
}

TEST(durable_channel, a_restart_brings_back_history_epoch_and_keys) {
    durable_node n;
    const auto c = n->connect(0, "session-1");
    for (int i = 1; i <= 3; ++i) n->say(c, publish_line(i, "key-" + std::to_string(i)));
    n.write();
    const std::string epoch = member_of(n->heard(c).back(), "epoch");
    n.restart();

    const auto back = n->connect(0, "session-1");
    n->say(back, R"({"op":"subscribe","id":1,"channel":"a","epoch":")" + epoch + R"(","offset":1})");
    const lines said = n->heard(back);
    EXPECT_EQ(member_of(said.at(0), "recovered"), "true");
    EXPECT_EQ(member_of(said.at(0), "epoch"), epoch);
    EXPECT_EQ(members_of({said.begin() + 1, said.end()}, "payload"), (lines{"2", "3"}));
    n->say(back, repeat_line(9, "key-2", "2"));
    EXPECT_EQ(members_of(n->heard(back), "offset"), lines{"2"}) << "answered from memory, nothing to write";
    n->say(back, publish_line(10, "key-10"));
    n.write();
    EXPECT_EQ(member_of(n->heard(back).front(), "offset"), "4") << "the offsets go on";
}

TEST(durable_channel, what_was_not_safe_at_the_end_is_published_by_the_repetition) {
    durable_node n;
    const auto c = n->connect(0, "session-1");
    n->say(c, publish_line(1, "key-1"));
    n.write();
    n->say(c, publish_line(2, "key-2"));
    n.restart();
    const auto back = n->connect(0, "session-1");
    n->say(back, publish_line(2, "key-2"));
    n.write();
    EXPECT_EQ(members_of(n->heard(back), "offset"), lines{"2"});
}

TEST(durable_channel, a_channel_without_publications_keeps_its_epoch_through_a_restart) {
    durable_node n;
    const auto epoch = [&] {
        const auto c = n->connect(0, "session-1");
        n->say(c, R"({"op":"subscribe","id":1,"channel":"a"})");
        return member_of(n->heard(c).at(0), "epoch");
    };
    const std::string first = epoch();
    n.restart();
    EXPECT_EQ(epoch(), first);
}

TEST(durable_channel, history_that_is_too_old_or_too_much_leaves_the_store_too) {
    durable_node n;
    const auto c = n->connect(0, "session-1");
    for (int i = 1; i <= 600; ++i) {
        n->say(c, publish_line(i));
        n.write();
    }
    n->pass(60'000);
    n.write();
    ASSERT_EQ(n.image().channels().size(), 1u);
    EXPECT_EQ(n.image().channels()[0].publications.size(), 10u);
    n->pass(11 * 60'000);
    n.write();
    EXPECT_EQ(n.image().channels()[0].publications.size(), 0u);
    EXPECT_EQ(n.image().channels()[0].head, 600u) << "where the offsets go on is remembered";
    n.restart();
    const auto back = n->connect(0, "session-1");
    n->say(back, publish_line(1));
    n.write();
    EXPECT_EQ(members_of(n->heard(back), "offset"), lines{"601"});
}

TEST(durable_channel, the_age_of_publications_counts_across_the_restart) {
    durable_node n;
    const auto c = n->connect(0, "session-1");
    n->say(c, publish_line(1, "key-1"));
    n.write();
    n.restart(11 * 60'000);
    const auto back = n->connect(0, "session-1");
    n->say(back, R"({"op":"history","id":2,"channel":"a"})");
    EXPECT_EQ(members_of(n->heard(back), "payload"), lines{"[]"});
    n->say(back, publish_line(3, "key-1"));
    n.write();
    EXPECT_EQ(members_of(n->heard(back), "offset"), lines{"2"}) << "the key is forgotten as well";
}

TEST(durable_channel, times_do_not_run_back_across_a_restart_either) {  // 5.1
    durable_node n;
    const auto c = n->connect(0, "session-1");
    n->set_clock(3'600'000);
    n->say(c, publish_line(1, "key-1"));
    n.write();
    n.restart();  // the clock of the new life is right again
    const auto back = n->connect(0, "session-1");
    n->say(back, publish_line(2, "key-2"));
    n.write();
    n->heard(back);
    n->say(back, R"({"op":"history","id":3,"channel":"a"})");
    const std::string page = member_of(n->heard(back).at(0), "payload");
    const auto time_behind = [&](const std::string& what) {
        return member_of(page.substr(page.find(what)), "time");
    };
    EXPECT_EQ(time_behind("\"offset\":1"), time_behind("\"offset\":2"));
}

// The disk forgets keys a little later than the hub.
TEST(durable_channel, a_key_that_was_used_again_after_its_window_is_remembered_from_then_on) {
    durable_node n;
    const auto c = n->connect(0, "session-1");
    n->say(c, publish_line(1, "key-1"));
    n.write();
    n->skip(301'000);
    n->say(c, publish_line(2, "key-1"));
    n.write();
    EXPECT_EQ(members_of(n->heard(c), "offset"), (lines{"1", "2"}));
    n.restart();
    const auto back = n->connect(0, "session-1");
    n->say(back, repeat_line(3, "key-1", "2"));
    n.write();
    EXPECT_EQ(members_of(n->heard(back), "offset"), lines{"2"});
}

TEST(durable_channel, a_forgotten_channel_comes_back_under_another_epoch) {
    durable_node n;
    const auto c = n->connect(0, "session-1");
    n->say(c, publish_line(1));
    n.write();
    const std::string before = member_of(n->heard(c).back(), "epoch");
    n->pass(2 * 60 * 60'000);
    n.write();
    EXPECT_TRUE(n.image().channels().empty());
    for (const bool restarted : {false, true}) {
        if (restarted) n.restart();
        const auto back = n->connect(0, "session-1");
        n->say(back, R"({"op":"subscribe","id":1,"channel":"a","epoch":")" + before + R"(","offset":0})");
        EXPECT_EQ(member_of(n->heard(back).at(0), "reason"), "epoch_changed");
    }
}

TEST(durable_channel, keys_leave_the_store_after_their_window) {
    durable_node n;
    const auto c = n->connect(0, "session-1");
    n->say(c, publish_line(1, "key-1"));
    n.write();
    EXPECT_EQ(n.image().keys().size(), 1u);
    n->pass(6 * 60'000);
    n.write();
    EXPECT_TRUE(n.image().keys().empty());
    n->pass(60'000);
    EXPECT_TRUE(n->unwritten(0).empty()) << "nothing is said any more when there is nothing to forget";
}

TEST(durable_channel, a_failed_write_is_told_to_all_who_wait_and_their_places_are_given_again) {
    durable_node n;
    const auto c = n->connect(0, "session-1");
    n->say(c, R"({"op":"subscribe","id":1,"channel":"a"})");
    n->say(c, publish_line(2, "key-2"));
    n.write();
    n->heard(c);
    n->say(c, publish_line(3, "key-3"));
    n->say(c, publish_line(4, "key-4"));
    n->say(c, repeat_line(5, "key-3", "3"));
    const std::uint32_t term = n->unwritten(0).back().term;
    // One of them reached the disk after all, and nobody knows.
    for (const store_op& op : n->unwritten(0)) n.image().apply(op);
    n->unwritten(0).clear();
    n->at(0).store_failed(term, error_code::storage_full, "the disk is full", n->now());
    n->carry_out(0);
    EXPECT_EQ(members_of(n->heard(c), "code"), (lines{"storage_full", "storage_full", "storage_full"}));

    n->say(c, publish_line(6, "key-6"));
    EXPECT_NE(n->unwritten(0).back().term, term);
    n.write();
    lines said = n->heard(c);
    EXPECT_EQ(members_of(said, "offset"), (lines{"2", "2"}));
    n->say(c, publish_line(3, "key-3"));
    n.write();
    EXPECT_EQ(members_of(n->heard(c), "offset"), (lines{"3", "3"})) << "a failed key is not remembered";

    n.restart();
    const auto back = n->connect(0, "session-1");
    n->say(back, R"({"op":"history","id":2,"channel":"a"})");
    const std::string page = n->heard(back).at(0);
    EXPECT_NE(page.find(R"("payload":6},{"type":"t","channel":"a","offset":3)"), std::string::npos) << page;
    n->say(back, publish_line(7, "key-4"));
    n.write();
    EXPECT_EQ(members_of(n->heard(back), "offset"), lines{"4"}) << "its first publish came to nothing";
}

TEST(durable_channel, a_second_word_of_the_same_failure_changes_nothing) {
    durable_node n;
    const auto c = n->connect(0, "session-1");
    n->say(c, publish_line(1));
    const std::uint32_t term = n->unwritten(0).back().term;
    n->unwritten(0).clear();
    n->at(0).store_failed(term, error_code::storage_failed, "no", n->now());
    n->say(c, publish_line(2));
    n->at(0).store_failed(term, error_code::storage_failed, "no", n->now());
    n->carry_out(0);
    EXPECT_EQ(ops_of(n->heard(c)), lines{"error"});
    n.write();
    EXPECT_EQ(ops_of(n->heard(c)), lines{"published"});
}

TEST(durable_channel, what_waits_for_the_disk_is_bounded) {
    config c = durable_config();
    c.bounds.storage_queue_bytes_max = 500;
    durable_node n(c);
    const auto client = n->connect(0, "session-1");
    for (int i = 1; i <= 20; ++i) n->say(client, publish_line(i));
    const lines refused = n->heard(client);
    ASSERT_FALSE(refused.empty());
    EXPECT_EQ(member_of(refused.at(0), "code"), "overloaded");
    n.write();
    EXPECT_EQ(refused.size() + n->heard(client).size(), 20u);
}

TEST(durable_channel, a_namespace_that_is_durable_no_longer_gets_nothing_back) {
    durable_node n;
    const auto c = n->connect(0, "session-1");
    n->say(c, publish_line(1));
    n.write();
    test_node memory(1, {}, 9);
    for (restored_channel& kept : n.image().channels()) memory.at(0).restore(std::move(kept), memory.now());
    EXPECT_EQ(memory.channel_count(), 0u);
}

}  // namespace
}  // namespace pulsewire::hub
