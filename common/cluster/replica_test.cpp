#include "common/cluster/replica.hpp"

#include "common/cluster/broker_model.hpp"
#include "common/cluster/test_log.hpp"

#include <gtest/gtest.h>

namespace pulsewire::cluster {
namespace {

// Some nodes over a broker that does what it is told, in steps of 50 ms.
class replica_test : public ::testing::Test {
protected:
    struct node {
        std::unique_ptr<replica> copy;
        std::vector<replica_event> events;
        bool deaf = false;  // nothing comes from the broker
        bool paused = false;

        template <class Event>
        std::size_t count() const {
            std::size_t n = 0;
            for (const replica_event& e : events) n += std::holds_alternative<Event>(e);
            return n;
        }
        template <class Event>
        const Event* last() const {
            for (auto e = events.rbegin(); e != events.rend(); ++e)
                if (const Event* const found = std::get_if<Event>(&*e)) return found;
            return nullptr;
        }
        // Payloads of the publications that were shown, in order.
        std::string shown_payloads() const {
            std::string all;
            for (const replica_event& e : events)
                if (const shown* const s = std::get_if<shown>(&e))
                    if (const published* const p = std::get_if<published>(&s->what))
                        all += p->what->view().payload;
            return all;
        }
    };

    static replica_options options(std::uint64_t seed) {
        replica_options o;
        o.seed = seed;
        return o;
    }
    node& start(std::size_t i) { return start(i, options(i + 1)); }
    node& start(std::size_t i, replica_options o) {
        if (nodes.size() <= i) nodes.resize(i + 1);
        broker->disconnect(static_cast<node_number>(i), "restarted");
        broker->take(static_cast<node_number>(i), 0, now_ms);
        nodes[i] = {};
        nodes[i].copy = std::make_unique<replica>(std::move(o));
        return nodes[i];
    }
    void use_broker(broker_options o) { broker = std::make_unique<broker_model>(o); }

    hub::instant now() const { return {now_ms, 1'800'000'000'000 + now_ms}; }
    void carry_out(std::size_t i, replica_output& out) {
        for (const to_broker& what : out.broker) broker->on(static_cast<node_number>(i), what, now_ms);
        for (replica_event& e : out.events) nodes[i].events.push_back(std::move(e));
        out = {};
    }
    void run(std::int64_t ms) {
        for (const std::int64_t until = now_ms + ms; now_ms < until;) {
            now_ms += 50;
            broker->advance(now_ms);
            for (std::size_t i = 0; i < nodes.size(); ++i) {
                if (nodes[i].copy == nullptr || nodes[i].paused) continue;
                replica_output out;
                if (!nodes[i].deaf)
                    for (const from_broker& what : broker->take(static_cast<node_number>(i), 1'000, now_ms)) {
                        nodes[i].copy->on(what, now(), out);
                        carry_out(i, out);
                    }
                nodes[i].copy->on_time(now(), out);
                carry_out(i, out);
            }
        }
    }
    void publish(std::size_t i, command_id id, std::string_view payload, std::string_view key = {}) {
        publish_op p;
        p.channel = "room";
        p.type = "t";
        p.key = key;
        p.payload = payload;
        p.content = 1;
        replica_output out;
        nodes[i].copy->publish(id, p, now(), out);
        carry_out(i, out);
    }
    void join(std::size_t i, std::string_view session) {
        join_op j;
        j.channel = "room";
        j.session = session;
        j.token = 1;
        replica_output out;
        nodes[i].copy->join(j, now(), out);
        carry_out(i, out);
    }
    std::size_t members(std::size_t i) const {
        const shared_channel* const c = nodes[i].copy->state()->channels().find("room");
        return c == nullptr ? 0 : c->members().size();
    }

    std::int64_t now_ms = 0;
    std::unique_ptr<broker_model> broker = std::make_unique<broker_model>(broker_options{});
    std::vector<node> nodes;
};

TEST_F(replica_test, serves_when_its_own_hello_was_read_back) {  // S5
    node& a = start(0);
    replica_output out;
    a.copy->on_time(now(), out);
    ASSERT_EQ(out.broker.size(), 1u);
    EXPECT_TRUE(std::holds_alternative<open_log>(out.broker[0].what));
    carry_out(0, out);
    EXPECT_FALSE(a.copy->serves());
    run(200);
    EXPECT_TRUE(a.copy->serves());
    EXPECT_EQ(a.count<serving>(), 1u);
    EXPECT_TRUE(a.copy->state()->channels().options().has_value());
}

TEST_F(replica_test, publishes_of_all_nodes_are_shown_and_answered_in_one_order) {
    start(0), start(1);
    run(300);
    publish(0, 1, "a");
    publish(1, 2, "b");
    EXPECT_EQ(nodes[0].count<accepted>(), 0u);
    run(300);
    EXPECT_EQ(nodes[0].shown_payloads().size(), 2u);
    EXPECT_EQ(nodes[0].shown_payloads(), nodes[1].shown_payloads());
    ASSERT_NE(nodes[0].last<accepted>(), nullptr);
    ASSERT_NE(nodes[1].last<accepted>(), nullptr);
    EXPECT_EQ(nodes[0].last<accepted>()->offset + nodes[1].last<accepted>()->offset, 3u);
    EXPECT_EQ(nodes[0].copy->state()->image(), nodes[1].copy->state()->image());
}

TEST_F(replica_test, a_record_that_does_not_come_back_is_sent_again) {  // S3
    start(0);
    run(300);
    broker->set_weather({.lost = 100});
    publish(0, 1, "a");
    publish(0, 2, "b");
    run(500);
    broker->set_weather({});
    run(1'000);
    EXPECT_EQ(nodes[0].count<accepted>(), 0u);
    run(1'000);
    EXPECT_EQ(nodes[0].shown_payloads(), "ab");
    EXPECT_EQ(nodes[0].count<accepted>(), 2u);
}

TEST_F(replica_test, without_a_broker_publishes_wait_ten_seconds_and_are_unavailable) {  // S15
    start(0);
    run(300);
    broker->pause(now_ms + 60'000);
    publish(0, 1, "a");
    run(9'000);
    EXPECT_EQ(nodes[0].count<unavailable>(), 0u);
    EXPECT_EQ(nodes[0].count<degraded>(), 1u);
    run(1'500);
    EXPECT_EQ(nodes[0].count<unavailable>(), 1u);
    run(60'000);
    EXPECT_TRUE(nodes[0].copy->serves());
    EXPECT_EQ(nodes[0].count<accepted>(), 0u);
}

TEST_F(replica_test, what_waits_is_bounded) {
    replica_options o = options(1);
    o.queue_count_max = 3;
    start(0, o);
    run(300);
    broker->disconnect(0, "test");
    broker->pause(now_ms + 5'000);
    run(100);
    for (command_id id = 1; id <= 5; ++id) publish(0, id, "a");
    EXPECT_EQ(nodes[0].count<unavailable>(), 2u);
    publish(0, 6, std::string(record_bytes_max, 'x'));
    EXPECT_EQ(nodes[0].count<unavailable>(), 3u);
}

TEST_F(replica_test, a_node_that_was_never_connected_refuses_at_once) {
    start(0);
    publish(0, 1, "a");
    EXPECT_EQ(nodes[0].count<unavailable>(), 1u);
}

TEST_F(replica_test, a_failover_that_lost_nothing_restates_positions) {  // S12
    start(0), start(1);
    run(300);
    publish(0, 1, "a");
    run(300);
    const fingerprint before = nodes[0].copy->state()->epoch();
    broker->fail_over(0, 0, now_ms);
    run(3'000);
    for (const node& n : nodes) {
        EXPECT_TRUE(n.copy->serves());
        EXPECT_EQ(n.count<copy_lost>(), 0u);
        ASSERT_NE(n.last<restated>(), nullptr);
        EXPECT_EQ(n.last<restated>()->before, before);
        EXPECT_EQ(n.last<restated>()->now, n.copy->state()->epoch());
    }
}

TEST_F(replica_test, a_broken_connection_renews_nothing_where_the_incarnation_stays) {
    start(0), start(1);
    run(300);
    const fingerprint before = nodes[0].copy->state()->epoch();
    broker->disconnect(0, "test");
    run(3'000);
    EXPECT_EQ(nodes[0].count<degraded>(), 1u);
    EXPECT_EQ(nodes[0].count<serving>(), 2u);
    EXPECT_EQ(nodes[0].copy->state()->epoch(), before);
}

TEST_F(replica_test, who_has_shown_a_lost_tail_proves_it_although_the_broker_is_trusted) {  // S7, S8
    broker_options b;
    b.tells_incarnation = false;
    use_broker(b);
    replica_options o = options(1);
    o.broker_is_durable = true;
    start(0, o);
    o.seed = 2;
    start(1, o);
    run(300);
    publish(0, 1, "a");
    run(300);
    nodes[1].paused = true;
    publish(0, 2, "b");
    run(200);
    EXPECT_EQ(nodes[0].shown_payloads(), "ab");
    const fingerprint before = nodes[0].copy->state()->epoch();
    broker->fail_over(1, 0, now_ms);
    nodes[1].paused = false;
    run(3'000);
    EXPECT_EQ(nodes[0].count<copy_lost>(), 1u);
    EXPECT_EQ(nodes[1].count<copy_lost>(), 0u);
    EXPECT_EQ(nodes[1].last<restated>()->before, before);
    EXPECT_EQ(nodes[0].copy->state()->epoch(), nodes[1].copy->state()->epoch());
    EXPECT_NE(nodes[0].copy->state()->epoch(), before);
    EXPECT_EQ(nodes[0].copy->judge("room", naming::other, 2, now_ms - 1'500), fit::epoch_changed);
}

// Hole 3 of the first version of the rules: the hello with the proof is lost, and the next connection has a
// good copy.
TEST_F(replica_test, a_proof_is_said_until_it_was_read_back) {
    broker_options b;
    b.tells_incarnation = false;
    use_broker(b);
    replica_options o = options(1);
    o.broker_is_durable = true;
    start(0, o);
    run(300);
    publish(0, 1, "a");
    run(300);
    const fingerprint before = nodes[0].copy->state()->epoch();
    broker->fail_over(1, 0, now_ms);
    broker->set_weather({.lost = 100});
    run(1'500);
    EXPECT_EQ(nodes[0].count<copy_lost>(), 1u);
    broker->disconnect(0, "test");
    run(500);
    broker->set_weather({});
    run(5'000);
    EXPECT_TRUE(nodes[0].copy->serves());
    EXPECT_NE(nodes[0].copy->state()->epoch(), before);
}

TEST_F(replica_test, a_position_is_judged_only_by_what_was_read_after_its_client_came) {  // S12
    start(0);
    run(300);
    EXPECT_EQ(nodes[0].copy->judge("room", naming::present, 0, now_ms), fit::fits);
    // Published through a node that is ahead of this one, perhaps.
    EXPECT_EQ(nodes[0].copy->judge("room", naming::present, 5, now_ms), fit::wait);
    const std::int64_t came_ms = now_ms;
    run(2'500);
    EXPECT_EQ(nodes[0].copy->judge("room", naming::present, 5, came_ms), fit::epoch_changed);
}

TEST_F(replica_test, a_node_with_other_options_says_so_and_does_not_join) {  // S1
    start(0);
    run(300);
    replica_options o = options(2);
    o.shared.idempotency_ms = 1;
    start(1, o);
    run(1'000);
    EXPECT_FALSE(nodes[1].copy->serves());
    ASSERT_EQ(nodes[1].count<standing_back>(), 1u);
    EXPECT_EQ(nodes[0].copy->state()->processes().alive().size(), 1u);
}

TEST_F(replica_test, why_a_copy_does_not_come_up_is_told) {  // P11
    start(0);
    broker->disconnect(0, "The password is wrong.");
    replica_output out;
    nodes[0].copy->on_time(now(), out);
    carry_out(0, out);
    broker->disconnect(0, "The password is wrong.");
    run(100);
    ASSERT_NE(nodes[0].last<still_away>(), nullptr);
    EXPECT_EQ(nodes[0].last<still_away>()->reason, "The password is wrong.");
    EXPECT_EQ(nodes[0].count<degraded>(), 0u);
    run(1'000);
    EXPECT_TRUE(nodes[0].copy->serves());
}

TEST_F(replica_test, a_log_that_somebody_else_began_is_refused_in_words_and_harmed_no_further) {  // P11
    broker->on(7, {0, open_log{1, {}}}, now_ms);
    run(100);
    broker->on(7, {0, append_record{1, "what an operator tried"}}, now_ms);
    run(100);
    const std::uint64_t before = broker->size();
    ASSERT_EQ(before, 1u);
    start(0);
    run(2'000);
    ASSERT_NE(nodes[0].last<still_away>(), nullptr);
    EXPECT_NE(nodes[0].last<still_away>()->reason.find("no Pulsewire wrote"), std::string::npos);
    EXPECT_FALSE(nodes[0].copy->serves());
    EXPECT_EQ(broker->size(), before);
}

TEST_F(replica_test, a_node_too_old_for_the_log_stands_back) {  // S14
    start(0), start(1);
    run(300);
    std::string newer = broker->record(0);
    newer[2] = 2;
    broker->on(1, {0, append_record{1, newer}}, now_ms);
    run(500);
    EXPECT_EQ(nodes[0].count<standing_back>(), 1u);
    EXPECT_FALSE(nodes[0].copy->serves());
}

TEST_F(replica_test, a_level_is_raised_when_all_who_are_alive_know_it) {
    replica_options o = options(1);
    o.level_max = 2;
    start(0, o);
    start(1);
    run(2'500);
    EXPECT_EQ(nodes[0].copy->state()->level(), 1u);
    replica_output out;
    nodes[1].copy->stop(now(), out);
    carry_out(1, out);
    run(2'500);
    EXPECT_EQ(nodes[0].copy->state()->level(), 2u);
    start(2);
    run(1'000);
    EXPECT_EQ(nodes[2].count<standing_back>(), 1u);
}

TEST_F(replica_test, a_silent_process_is_ended_with_its_members_and_comes_back_as_another) {  // S9
    start(0), start(1);
    run(300);
    join(1, "session-1");
    run(300);
    EXPECT_EQ(members(0), 1u);
    nodes[1].paused = true;
    const process_id before = nodes[1].copy->process();
    run(4'500);
    EXPECT_EQ(members(0), 1u);
    run(4'000);
    EXPECT_EQ(members(0), 0u);
    nodes[1].paused = false;
    run(3'000);
    EXPECT_NE(nodes[1].copy->process(), before);
    EXPECT_EQ(members(0), 1u);
    EXPECT_EQ(members(1), 1u);
}

// A node whose program takes something else for the log's time stands for any that makes another state of the
// same records.
TEST_F(replica_test, a_copy_that_differs_from_anothers_is_read_anew_and_not_over_and_over) {  // S14
    start(0);
    replica_options o = options(2);
    o.rules.clock_step_max_ms = 10;
    start(1, o);
    run(300);
    const fingerprint epoch = nodes[0].copy->state()->epoch();
    publish(0, 1, "a", "key");
    run(5'000);
    const auto reread = [&](std::size_t i) { return nodes[i].count<copy_lost>(); };
    EXPECT_EQ(reread(0), 1u);
    EXPECT_EQ(reread(1), 1u);
    EXPECT_EQ(nodes[0].count<degraded>(), 1u);
    ASSERT_TRUE(nodes[0].copy->serves());
    EXPECT_EQ(nodes[0].copy->state()->epoch(), epoch) << "nothing was lost";
    EXPECT_EQ(nodes[0].copy->state()->channels().find("room")->head(), 1u);
    // Right again, it is as the others.
    start(1, options(3));
    run(20'000);
    EXPECT_EQ(reread(0), 1u);
    EXPECT_EQ(reread(1), 0u);
    EXPECT_EQ(nodes[0].copy->state()->image(), nodes[1].copy->state()->image());
    // Another one, in time, is read anew as well.
    start(1, o);
    run(options(1).reread_ms);
    EXPECT_EQ(reread(0), 2u);
}

TEST_F(replica_test, a_judge_that_is_cut_off_ends_nobody) {
    start(0), start(1);
    run(2'000);
    nodes[0].deaf = true;
    run(9'000);
    nodes[0].deaf = false;
    run(500);
    EXPECT_EQ(nodes[1].copy->state()->processes().find(nodes[1].copy->process()) != nullptr, true);
    EXPECT_EQ(nodes[1].count<degraded>(), 0u);
}

TEST_F(replica_test, a_planned_stop_parts_members_at_once) {
    start(0), start(1);
    run(300);
    join(1, "session-1");
    run(300);
    replica_output out;
    nodes[1].copy->stop(now(), out);
    carry_out(1, out);
    run(200);
    EXPECT_EQ(members(0), 0u);
    publish(1, 1, "a");
    EXPECT_EQ(nodes[1].count<unavailable>(), 1u);
}

TEST_F(replica_test, who_takes_the_place_of_a_killed_process_ends_it_at_once) {
    start(0);
    start(1);
    run(300);
    join(1, "session-1");
    run(300);
    replica_options o = options(3);
    o.predecessor = nodes[1].copy->process();
    start(1, o);
    run(1'000);
    EXPECT_EQ(members(0), 0u);
}

TEST_F(replica_test, a_cold_start_reads_the_newest_checkpoint_and_what_follows) {  // S11
    replica_options o = options(1);
    o.rules.base_age_max = 100;
    o.rules.checkpoint_bytes = 20'000;
    o.rules.trim_bytes = 5'000;
    o.rules.trim_ms = 1'000;
    o.image_chunk_bytes = 50'000;
    start(0, o);
    run(300);
    for (int i = 0; i < 500; ++i) {
        publish(0, 0, "payload");
        run(50);
    }
    ASSERT_EQ(nodes[0].copy->state()->checkpoints().size(), 2u);
    EXPECT_LT(broker->size(), broker->total());
    o.seed = 2;
    start(1, o);
    run(2'000);
    ASSERT_TRUE(nodes[1].copy->serves());
    EXPECT_EQ(nodes[0].copy->state()->image(), nodes[1].copy->state()->image());
}

TEST_F(replica_test, a_log_that_was_trimmed_by_others_can_not_be_read_from_nothing) {
    start(0);
    run(5'000);
    broker->retain(3);
    start(1);
    run(2'000);
    EXPECT_FALSE(nodes[1].copy->serves());
    EXPECT_TRUE(nodes[0].copy->serves());
}

TEST_F(replica_test, an_acknowledgement_waits_for_the_broker_where_it_is_asked_for) {
    replica_options o = options(1);
    o.waits_for_broker = true;
    start(0, o);
    run(300);
    // The first append on the way is lost, so the broker can not say of any behind it that it has them.
    broker->set_weather({.lost = 100});
    publish(0, 1, "a");
    broker->set_weather({});
    publish(0, 2, "b");
    run(3'000);
    EXPECT_EQ(nodes[0].shown_payloads(), "ab");
    EXPECT_EQ(nodes[0].count<accepted>(), 0u);
    broker->disconnect(0, "test");
    run(1'000);
    EXPECT_EQ(nodes[0].count<accepted>(), 2u);
}

TEST_F(replica_test, publishes_are_not_sent_again_when_nobody_knows_whether_they_counted) {
    start(0), start(1);
    run(300);
    nodes[0].deaf = true;
    publish(0, 1, "a");
    publish(0, 2, "b", "key");
    run(200);
    // Another node read both; this one finds its log cut before them.
    EXPECT_EQ(nodes[1].shown_payloads(), "ab");
    broker->fail_over(20, 0, now_ms);
    nodes[0].deaf = false;
    run(5'000);
    EXPECT_EQ(nodes[0].count<unavailable>(), 2u);
    EXPECT_EQ(nodes[0].count<accepted>(), 0u);
    EXPECT_TRUE(nodes[0].copy->serves());
}

TEST_F(replica_test, what_did_not_count_on_a_broken_connection_goes_again_once) {  // S4
    start(0);
    run(300);
    broker->set_weather({.lost = 100});
    publish(0, 1, "a");
    broker->set_weather({});
    broker->disconnect(0, "test");
    run(3'000);
    EXPECT_EQ(nodes[0].shown_payloads(), "a");
    EXPECT_EQ(nodes[0].count<accepted>(), 1u);
    // ... and what did count does not.
    publish(0, 2, "b");
    broker->advance(now_ms);
    broker->disconnect(0, "test");
    run(3'000);
    EXPECT_EQ(nodes[0].count<accepted>(), 2u);
    EXPECT_EQ(nodes[0].copy->state()->channels().find("room")->head(), 2u);
}

}  // namespace
}  // namespace pulsewire::cluster
