// The machine's subscriptions, publishes and requests, and their fate when the connection is lost.

#include "common/client/test_host.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace pulsewire::client {
namespace {

using done = test_host::lines;

struct machine_messages : ::testing::Test {
    machine_messages() { h.become_open(); }

    void message(const std::string& more, const std::string& json = "1") {
        h.hears(R"({"type":"t","channel":"a",)" + more + R"("payload":)" + json + "}");
    }
    // Lost, and back up to the welcome; what was said meanwhile.
    done again() {
        h.done();
        h.lost();
        h.online();
        h.opened();
        h.welcome();
        done all = h.done();
        done sent;
        for (const std::string& line : all)
            if (line.starts_with("send ") && line.find("\"connect\"") == std::string::npos)
                sent.push_back(line.substr(5));
        return sent;
    }
    static std::string id(std::uint32_t n) { return std::to_string(n); }
    static std::string unsubscribe(std::uint32_t n, const std::string& channel) {
        return R"({"op":"unsubscribe","id":)" + id(n) + R"(,"channel":")" + channel + "\"}";
    }
    static std::string subscribe_from(std::uint32_t n, const std::string& channel, std::uint64_t offset) {
        return R"({"op":"subscribe","id":)" + id(n) + R"(,"channel":")" + channel +
               R"(","epoch":"x7Qa","offset":)" + std::to_string(offset) + "}";
    }

    test_host h;
};

// --- subscriptions (4.3 to 4.8) ---

TEST_F(machine_messages, a_subscription_is_live_with_its_answer) {
    EXPECT_EQ(h.subscribe("a"), 1u);
    EXPECT_EQ(h.done(), done{R"(send {"op":"subscribe","id":1,"channel":"a"})"});
    message(R"("offset":1,)");
    EXPECT_EQ(h.done(), done{}) << "not yet";
    h.hears(R"({"op":"subscribed","id":1,"channel":"a","epoch":"x7Qa","offset":18,"replay":0})");
    EXPECT_EQ(h.done(), done{"subscribed to 1: fresh x7Qa 18"});
    message(R"("offset":19,"time":1764000000000,)", R"({"text":"h\u00e9 \"payload\":"})");
    EXPECT_EQ(h.done(), done{R"(deliver to 1: t at 19 {"text":"h\u00e9 \"payload\":"})"});
}

TEST_F(machine_messages, asks_for_what_the_application_wants) {
    subscribe_options how;
    how.latest = 5;
    how.presence = true;
    how.payload_of = 77;
    how.epoch = "x7Qa";
    how.offset = 9;
    h.subscribe("a", how);
    EXPECT_EQ(
        h.done(),
        done{
            R"(send {"op":"subscribe","id":1,"channel":"a","epoch":"x7Qa","offset":9,"latest":5,"presence":true,"payload":<77>})"}
    );
    h.hears(
        R"({"op":"subscribed","id":1,"channel":"a","epoch":"x7Qa","offset":9,"replay":2,"recovered":true})"
    );
    message(R"("offset":10,)");
    message(R"("offset":11,)");
    message(R"("offset":12,)");
    EXPECT_EQ(
        h.done(), (done{
                      "subscribed to 1: recovered x7Qa 9", "deliver to 1: t at 10 again 1",
                      "deliver to 1: t at 11 again 1", "deliver to 1: t at 12 1"})
    );
}

TEST_F(machine_messages, each_publication_is_delivered_once_and_in_order) {  // 5.3
    h.subscribe_at("a", 5);
    message(R"("offset":5,)");
    message(R"("offset":6,)");
    message(R"("offset":6,)");
    message(R"("offset":1,)");
    message(R"("offset":7,)");
    EXPECT_EQ(h.done(), (done{"deliver to 1: t at 6 1", "deliver to 1: t at 7 1"}));
}

TEST_F(machine_messages, takes_a_publication_that_the_host_has_read_only_when_it_is_the_next_one) {
    h.subscribe("b");
    h.subscribe("a");
    const auto at = [&](std::uint64_t offset, std::string_view channel = "a", std::uint32_t attempt = 1) {
        return h.machine.publication(attempt, channel, offset, 50, h.now);
    };
    EXPECT_EQ(at(19), 0) << "not live yet";
    h.hears(R"({"op":"subscribed","id":2,"channel":"a","epoch":"x7Qa","offset":18,"replay":2})");
    h.done();
    EXPECT_EQ(at(18), 0) << "had before";
    EXPECT_EQ(at(20), 0) << "something is missing";
    EXPECT_EQ(at(19, "b"), 0) << "not live";
    EXPECT_EQ(at(19, "c"), 0) << "nobody's";
    EXPECT_EQ(at(19, ""), 0) << "nobody's";
    EXPECT_EQ(at(19, "a", 2), 0) << "of no transport of ours";
    EXPECT_EQ(at(19), -2) << "replayed";
    EXPECT_EQ(at(19), 0) << "taken";
    message(R"("offset":20,)");
    EXPECT_EQ(h.done(), done{"deliver to 2: t at 20 again 1"}) << "one count for both ways";
    EXPECT_EQ(at(21), 2);
    EXPECT_EQ(h.done(), done{});
    h.hears(R"({"op":"subscribed","id":1,"channel":"b","epoch":"x7Qa","offset":0,"replay":0})");
    h.done();
    EXPECT_EQ(at(1, "b"), 1) << "channels in turn";
    EXPECT_EQ(at(22), 2);
    EXPECT_EQ(at(2, "b"), 1);
    const auto asked = again();
    EXPECT_EQ(asked.back(), subscribe_from(4, "a", 22)) << "it moves the position";
    EXPECT_EQ(at(23, "a", 2), 0) << "not live yet";
}

TEST_F(machine_messages, messages_without_offset_are_delivered_as_they_come) {  // 5.2
    h.subscribe_at("a", 5);
    message(R"("time":7,)");
    message("");
    message(R"("offset":6,)");
    EXPECT_EQ(h.done(), (done{"deliver to 1: t 1", "deliver to 1: t 1", "deliver to 1: t at 6 1"}));
    h.hears(R"({"type":"t","channel":"other","payload":1})");
    EXPECT_EQ(h.done(), done{});
}

TEST_F(machine_messages, own_messages_move_the_position_and_are_not_shown) {  // 4.10
    h.subscribe_at("a", 5);
    message(R"("offset":6,"except":"ada-session",)");
    message(R"("offset":7,"except":"bob-session",)");
    message(R"("except":"ada-session",)");
    message(R"("offset":8,)");
    EXPECT_EQ(h.done(), (done{"deliver to 1: t at 7 1", "deliver to 1: t at 8 1"}));
}

TEST_F(machine_messages, a_hole_in_the_offsets_is_recovered) {  // 5.4
    h.subscribe_at("a", 5);
    message(R"("offset":8,)");
    const done sent = h.done();
    ASSERT_EQ(sent.size(), 2u);
    EXPECT_EQ(sent[0], R"(send {"op":"unsubscribe","id":2,"channel":"a"})");
    EXPECT_EQ(sent[1], R"(send {"op":"subscribe","id":3,"channel":"a","epoch":"x7Qa","offset":5})");
    message(R"("offset":9,)");
    message("");
    EXPECT_EQ(h.done(), done{}) << "it all comes again";
    h.hears(R"({"op":"unsubscribed","id":2,"channel":"a"})");
    h.hears(
        R"({"op":"subscribed","id":3,"channel":"a","epoch":"x7Qa","offset":5,"replay":4,"recovered":true})"
    );
    message(R"("offset":6,)");
    EXPECT_EQ(h.done(), (done{"subscribed to 1: recovered x7Qa 5", "deliver to 1: t at 6 again 1"}));
}

TEST_F(machine_messages, what_newer_ones_have_replaced_moves_the_position) {  // 5.4
    h.subscribe_at("a", 5);
    h.hears(R"({"op":"gap","channel":"a","offset":40,"reason":"replaced"})");
    message(R"("offset":41,)");
    h.hears(R"({"op":"gap","channel":"a","offset":40,"reason":"replaced"})");
    h.hears(R"({"op":"gap","channel":"other","offset":40,"reason":"replaced"})");
    EXPECT_EQ(h.done(), (done{"gap to 1: until 40", "deliver to 1: t at 41 1"}));
}

// Dropped publications are recovered from the position before them.
TEST_F(machine_messages, what_was_dropped_is_recovered) {  // 5.4, 4.4
    h.subscribe_at("a", 5);
    h.hears(R"({"op":"gap","channel":"a","offset":7,"reason":"dropped"})");
    message(R"("offset":8,)");
    EXPECT_EQ(h.done(), (done{"send " + unsubscribe(2, "a"), "send " + subscribe_from(3, "a", 5)}))
        << "what comes behind the gap comes again";
    h.hears(
        R"({"op":"subscribed","id":3,"channel":"a","epoch":"x7Qa","offset":5,"replay":3,"recovered":true})"
    );
    for (const auto* at : {"6", "7", "8"}) message(R"("offset":)" + std::string(at) + ",");
    message(R"("offset":9,)");
    EXPECT_EQ(
        h.done(),
        (done{
            "subscribed to 1: recovered x7Qa 5", "deliver to 1: t at 6 again 1",
            "deliver to 1: t at 7 again 1", "deliver to 1: t at 8 again 1", "deliver to 1: t at 9 1"})
    );
}

TEST_F(machine_messages, what_was_dropped_and_is_not_kept_is_told_once) {  // 5.4, 4.4
    h.subscribe_at("a", 5);
    h.hears(R"({"op":"gap","channel":"a","offset":7,"reason":"dropped"})");
    h.hears(R"({"op":"gap","channel":"a","offset":9,"reason":"dropped"})");
    h.done();
    h.hears(
        R"({"op":"subscribed","id":3,"channel":"a","epoch":"x7Qa","offset":900,"replay":0,"recovered":false,"reason":"limit"})"
    );
    message(R"("offset":901,)");
    EXPECT_EQ(h.done(), (done{"subscribed to 1: lost x7Qa 900 limit", "deliver to 1: t at 901 1"}));
}

TEST_F(machine_messages, a_gap_without_a_reason_counts_as_dropped) {  // 5.4
    h.subscribe_at("a", 5);
    h.hears(R"({"op":"gap","channel":"a","offset":7})");
    EXPECT_EQ(h.done(), (done{"send " + unsubscribe(2, "a"), "send " + subscribe_from(3, "a", 5)}));
}

// A connection that stays too slow is not made to carry the same history over and over.
TEST_F(machine_messages, recovering_what_was_dropped_again_and_again_takes_longer_and_longer) {  // 5.4
    h.subscribe_at("a", 5);
    std::uint64_t offset = 5;
    std::uint32_t id = 1;
    const auto falls_behind = [&] {
        h.hears(
            R"({"op":"gap","channel":"a","offset":)" + std::to_string(offset + 10) + R"(,"reason":"dropped"})"
        );
    };
    // How long it takes from the gap to the subscribe that recovers from it.
    const auto waits = [&] {
        falls_behind();
        EXPECT_EQ(h.done(), (done{"send " + unsubscribe(++id, "a")}));
        const time_ms since = h.now;
        done said;
        while (said.empty() && h.now < since + 60'000) {
            h.pass(100);
            h.hears(R"({"op":"ping"})");
            said = h.done();
            std::erase(said, R"(send {"op":"pong"})");
        }
        EXPECT_EQ(said, (done{"send " + subscribe_from(++id, "a", offset)}));
        return h.now - since;
    };
    const auto recovers = [&] {
        h.hears(
            R"({"op":"subscribed","id":)" + std::to_string(id) +
            R"(,"channel":"a","epoch":"x7Qa","offset":)" + std::to_string(++offset) +
            R"(,"replay":0,"recovered":false,"reason":"limit"})"
        );
        h.done();
    };
    falls_behind();
    EXPECT_EQ(h.done(), (done{"send " + unsubscribe(2, "a"), "send " + subscribe_from(3, "a", 5)}));
    id = 3;
    recovers();
    for (const time_ms expected : {2'000, 4'000, 8'000, 16'000, 16'000}) {
        EXPECT_EQ(waits(), expected);
        recovers();
    }
    for (int i = 0; i < 60; ++i) {
        h.pass(1'000);
        h.hears(R"({"op":"ping"})");
    }
    h.done();
    falls_behind();
    EXPECT_EQ(
        h.done(), (done{"send " + unsubscribe(id + 1, "a"), "send " + subscribe_from(id + 2, "a", offset)})
    ) << "it has kept up for a minute";
}

// The wait is over with the connection, and with the application's wish.
TEST_F(machine_messages, a_postponed_recovery_ends_with_its_subscription) {  // 5.4, 9.2
    const std::uint32_t subscription = h.subscribe_at("a", 5);
    h.hears(R"({"op":"gap","channel":"a","offset":7,"reason":"dropped"})");
    h.hears(
        R"({"op":"subscribed","id":3,"channel":"a","epoch":"x7Qa","offset":7,"replay":0,"recovered":true})"
    );
    h.hears(R"({"op":"gap","channel":"a","offset":9,"reason":"dropped"})");
    h.done();
    h.unsubscribe(subscription);
    h.pass(20'000);
    EXPECT_EQ(h.done(), done{}) << "it was unsubscribed when it fell behind";

    h.subscribe_at("b", 5);
    h.hears(R"({"op":"gap","channel":"b","offset":7,"reason":"dropped"})");
    h.hears(
        R"({"op":"subscribed","id":7,"channel":"b","epoch":"x7Qa","offset":7,"replay":0,"recovered":true})"
    );
    h.hears(R"({"op":"gap","channel":"b","offset":9,"reason":"dropped"})");
    h.lost();
    h.pass(1'000);
    h.opened();
    h.welcome();
    const done said = h.done();
    EXPECT_EQ(std::count(said.begin(), said.end(), "send " + subscribe_from(9, "b", 7)), 1);
}

// --- state (4.29 to 4.31) ---

class machine_state : public machine_messages {
protected:
    void subscribe() {
        subscribe_options how;
        how.state = true;
        h.subscribe("a", how);
        EXPECT_EQ(h.done(), done{R"(send {"op":"subscribe","id":1,"channel":"a","state":true})"});
    }
    void part(int n, int of, std::uint64_t offset = 0) {
        message(
            R"("part":)" + std::to_string(n) + R"(,"parts":)" + std::to_string(of) +
            (offset == 0 ? "," : R"(,"offset":)" + std::to_string(offset) + ",")
        );
    }
};

TEST_F(machine_state, begins_with_the_snapshot_and_goes_on_behind_what_it_covers) {
    subscribe();
    h.hears(R"({"op":"subscribed","id":1,"channel":"a","epoch":"x7Qa","offset":0,"replay":3})");
    part(1, 2);
    part(2, 2, 412);
    message(R"("offset":413,)");
    message(R"("covers":412,"offset":414,)", "null");
    message(R"("offset":415,)");
    EXPECT_EQ(
        h.done(), (done{
                      "subscribed to 1: fresh x7Qa 0", "snapshot to 1: t 1 of 2 1",
                      "snapshot to 1: t 2 of 2 up to 412 1", "deliver to 1: t at 413 again 1",
                      "deliver to 1: t at 415 1"})
    );
}

TEST_F(machine_state, a_connection_that_breaks_within_the_snapshot_has_gained_nothing) {
    subscribe();
    h.hears(R"({"op":"subscribed","id":1,"channel":"a","epoch":"x7Qa","offset":0,"replay":3})");
    part(1, 2);
    const done sent = again();
    EXPECT_EQ(
        sent, done{R"({"op":"subscribe","id":2,"channel":"a","epoch":"x7Qa","offset":0,"state":true})"}
    );
    h.hears(
        R"({"op":"subscribed","id":2,"channel":"a","epoch":"x7Qa","offset":0,"replay":1,"recovered":false,"reason":"compacted"})"
    );
    part(1, 1, 420);
    message(R"("offset":421,)");
    EXPECT_EQ(
        h.done(), (done{
                      "subscribed to 1: lost x7Qa 0 compacted", "snapshot to 1: t 1 of 1 up to 420 1",
                      "deliver to 1: t at 421 1"})
    );
}

TEST_F(machine_state, a_mark_behind_a_hole_is_no_place_to_go_on_from) {
    h.subscribe_at("a", 5);
    message(R"("covers":3,"offset":8,)", "null");
    const done sent = h.done();
    ASSERT_EQ(sent.size(), 2u);
    EXPECT_EQ(sent[1], R"(send {"op":"subscribe","id":3,"channel":"a","epoch":"x7Qa","offset":5})");
}

TEST_F(machine_state, a_publish_can_be_a_snapshot_and_the_server_can_want_one) {
    publish_options how;
    how.more = R"("snapshot":{"covers":7})";
    h.publish("a", how);
    const done said = h.done();
    ASSERT_EQ(said.size(), 1u);
    EXPECT_NE(
        said[0].find(R"("snapshot":{"covers":7},"channel":"a","type":"t","payload":)"), std::string::npos
    ) << said[0];
    h.subscribe_at("b", 5);
    h.hears(R"({"op":"snapshot_wanted","channel":"b"})");
    h.hears(R"({"op":"snapshot_wanted","channel":"of another"})");
    EXPECT_EQ(h.done(), done{"wants a snapshot of 1"});
}

TEST_F(machine_messages, a_publish_says_what_it_is_the_latest_of) {  // 4.17
    publish_options how;
    how.conflate = "AAPL";
    h.publish("a", how);
    const done said = h.done();
    ASSERT_EQ(said.size(), 1u);
    EXPECT_NE(said[0].find(R"("conflate":"AAPL","channel":"a","type":"t","payload":)"), std::string::npos)
        << said[0];
}

TEST_F(machine_messages, hears_who_is_there) {  // 4.6
    h.subscribe("a", {.latest = 0, .presence = true, .payload_of = 0, .epoch = {}, .offset = 0});
    EXPECT_EQ(h.done(), done{R"(send {"op":"subscribe","id":1,"channel":"a","presence":true})"});
    h.hears(R"({"op":"join","channel":"a","session":"p0Lm","payload":1})");
    EXPECT_EQ(h.done(), done{}) << "not live yet";
    h.hears(R"({"op":"subscribed","id":1,"channel":"a","epoch":"x7Qa","offset":0,"replay":0})");
    h.hears(R"({"op":"presence","channel":"a","payload":[{"session":"bob","info":1}]})");
    h.hears(R"({"op":"join","channel":"a","session":"p0Lm","payload":{"name":"Bob"}})");
    h.hears(R"({"op":"leave","channel":"a","session":"p0Lm"})");
    EXPECT_EQ(
        h.done(), (done{
                      "subscribed to 1: fresh x7Qa 0", R"(present to 1: [{"session":"bob","info":1}])",
                      R"(joined to 1: p0Lm {"name":"Bob"})", "left to 1: p0Lm"})
    );
}

TEST_F(machine_messages, after_unsubscribing_nothing_is_told_any_more) {
    const auto sub = h.subscribe_at("a", 5);
    h.unsubscribe(sub);
    EXPECT_EQ(h.done(), done{R"(send {"op":"unsubscribe","id":2,"channel":"a"})"});
    message(R"("offset":6,)");
    h.hears(R"({"op":"leave","channel":"a","session":"p0Lm"})");
    h.hears(R"({"op":"unsubscribed","id":2,"channel":"a"})");
    h.unsubscribe(sub);
    h.unsubscribe(99);
    EXPECT_EQ(h.done(), done{});
    EXPECT_EQ(again(), done{});
}

TEST_F(machine_messages, an_unsubscribe_that_comes_too_late_is_no_error_for_the_application) {
    const auto sub = h.subscribe("a");
    h.unsubscribe(sub);
    h.done();
    h.hears(R"({"op":"error","id":1,"code":"forbidden","message":"no"})");
    h.hears(R"({"op":"error","id":2,"code":"not_subscribed","message":"not subscribed to this channel"})");
    EXPECT_EQ(h.done(), done{});
}

TEST_F(machine_messages, the_answer_of_an_earlier_subscription_is_not_taken_for_the_next_one) {
    h.unsubscribe(h.subscribe("a"));
    h.subscribe("a");
    h.done();
    h.hears(R"({"op":"subscribed","id":1,"channel":"a","epoch":"x7Qa","offset":5,"replay":0})");
    message(R"("offset":6,)");
    EXPECT_EQ(h.done(), done{});
    h.hears(R"({"op":"subscribed","id":3,"channel":"a","epoch":"x7Qa","offset":6,"replay":0})");
    EXPECT_EQ(h.done(), done{"subscribed to 1: fresh x7Qa 6"});
}

TEST_F(machine_messages, a_refused_subscription_is_gone) {
    h.subscribe("a");
    h.done();
    h.hears(R"({"op":"error","id":1,"code":"forbidden","message":"no"})");
    EXPECT_EQ(h.done(), done{"refused to 1: forbidden no"});
    EXPECT_EQ(again(), done{});
}

TEST_F(machine_messages, a_subscription_for_which_there_is_no_room_now_is_asked_for_again) {
    h.subscribe("a");
    h.done();
    for (const char* code : {"overloaded", "rate_limited"}) {
        h.hears(
            R"({"op":"error","id":)" + std::string(code == std::string("overloaded") ? "1" : "2") +
            R"(,"code":")" + code + R"(","message":"later"})"
        );
        EXPECT_EQ(h.done(), done{});
        h.pass(999);
        EXPECT_EQ(h.done(), done{});
        h.pass(1);
        EXPECT_EQ(h.done().size(), 1u) << code;
    }
    h.hears(R"({"op":"subscribed","id":3,"channel":"a","epoch":"x7Qa","offset":5,"replay":0})");
    EXPECT_EQ(h.done(), done{"subscribed to 1: fresh x7Qa 5"});
}

TEST_F(machine_messages, a_subscription_that_the_server_still_holds_is_ended_there_and_asked_for_again) {
    // The unsubscribe before it was refused by the rate limit.
    h.subscribe("a");
    h.done();
    h.hears(R"({"op":"error","id":1,"code":"already_subscribed","message":"already"})");
    EXPECT_EQ(h.done(), done{R"(send {"op":"unsubscribe","id":2,"channel":"a"})"});
    h.pass(1'000);
    EXPECT_EQ(h.done(), done{R"(send {"op":"subscribe","id":3,"channel":"a"})"});
}

TEST_F(machine_messages, a_postponed_subscription_can_be_ended) {
    const auto sub = h.subscribe("a");
    h.hears(R"({"op":"error","id":1,"code":"overloaded","message":"later"})");
    h.done();
    h.unsubscribe(sub);
    h.pass(5'000);
    EXPECT_EQ(h.done(), done{});
}

// --- subscriptions come back (9.2, 4.4) ---

TEST_F(machine_messages, subscriptions_come_back_with_their_positions) {
    h.subscribe_at("a", 5);
    h.subscribe("b", {.latest = 3, .presence = true, .payload_of = 9, .epoch = {}, .offset = 0});
    message(R"("offset":6,)");
    EXPECT_EQ(
        again(), (done{
                     R"({"op":"subscribe","id":3,"channel":"a","epoch":"x7Qa","offset":6})",
                     R"({"op":"subscribe","id":4,"channel":"b","latest":3,"presence":true,"payload":<9>})"})
    );
    h.hears(
        R"({"op":"subscribed","id":3,"channel":"a","epoch":"x7Qa","offset":6,"replay":1,"recovered":true})"
    );
    message(R"("offset":7,)");
    message(R"("offset":8,)");
    EXPECT_EQ(
        h.done(),
        (done{"subscribed to 1: recovered x7Qa 6", "deliver to 1: t at 7 again 1", "deliver to 1: t at 8 1"})
    );
}

TEST_F(machine_messages, what_cannot_be_recovered_is_told_and_goes_on_from_there) {
    h.subscribe_at("a", 500);
    again();
    h.hears(
        R"({"op":"subscribed","id":2,"channel":"a","epoch":"mm21","offset":3,"replay":0,"recovered":false,"reason":"epoch_changed"})"
    );
    message(R"("offset":4,)");
    EXPECT_EQ(h.done(), (done{"subscribed to 1: lost mm21 3 epoch_changed", "deliver to 1: t at 4 1"}));
    EXPECT_EQ(again(), done{R"({"op":"subscribe","id":3,"channel":"a","epoch":"mm21","offset":4})"});
}

TEST_F(machine_messages, an_answer_without_recovered_is_no_recovery) {
    h.subscribe_at("a", 5);
    again();
    h.hears(R"({"op":"subscribed","id":2,"channel":"a","epoch":"x7Qa","offset":9,"replay":0})");
    EXPECT_EQ(h.done(), done{"subscribed to 1: lost x7Qa 9"});
}

TEST_F(machine_messages, subscribing_before_and_between_connections_waits_for_the_next_one) {
    h.lost();
    h.done();
    const auto a = h.subscribe("a");
    h.subscribe("b");
    EXPECT_EQ(h.done(), done{});
    h.unsubscribe(a);
    h.online();
    h.done();
    h.opened();
    h.subscribe("c");
    EXPECT_EQ(h.done(), done{R"(send {"op":"connect","version":1,"session":"ada-session","binary":true})"})
        << "alone, because only the welcome tells how large a message may be";
    h.welcome();
    EXPECT_EQ(
        h.done(), (done{
                      "is open by websocket", R"(send {"op":"subscribe","id":1,"channel":"c"})",
                      R"(send {"op":"subscribe","id":2,"channel":"b"})"})
    );
}

// --- publish (4.9 to 4.11, 9.2) ---

TEST_F(machine_messages, a_publish_is_told_when_it_is_kept) {
    const auto first = h.publish("a"),
               second = h.publish("b", {.echo = false, .transient = false, .timeout_ms = 0});
    EXPECT_EQ(
        h.done(),
        (done{
            R"(send {"op":"publish","id":1,"key":"ada-session-1-1","channel":"a","type":"t","payload":<1>})",
            R"(send {"op":"publish","id":2,"key":"ada-session-1-2","echo":false,"channel":"b","type":"t","payload":<2>})"}
        )
    );
    h.hears(R"({"op":"published","id":2,"channel":"b","epoch":"mm21","offset":4})");
    h.hears(R"({"op":"published","id":1,"channel":"a","epoch":"x7Qa","offset":19})");
    h.hears(R"({"op":"published","id":1,"channel":"a","epoch":"x7Qa","offset":19})");
    EXPECT_EQ(
        h.done(), (done{"published " + id(second) + " at mm21 4", "published " + id(first) + " at x7Qa 19"})
    );
    EXPECT_EQ(again(), done{});
}

TEST_F(machine_messages, an_unanswered_publish_is_repeated_with_its_key_before_new_ones) {
    h.publish("a");
    h.publish("a");
    h.publish("a");
    h.hears(R"({"op":"published","id":2,"channel":"a","epoch":"x7Qa","offset":2})");
    h.lost();
    h.publish("b");
    h.online();
    h.done();
    h.opened();
    h.publish("c");
    h.welcome();
    EXPECT_EQ(
        h.done(),
        (done{
            R"(send {"op":"connect","version":1,"session":"ada-session","binary":true})",
            "is open by websocket",
            R"(send {"op":"publish","id":1,"key":"ada-session-1-1","channel":"a","type":"t","payload":<1>})",
            R"(send {"op":"publish","id":3,"key":"ada-session-1-3","channel":"a","type":"t","payload":<3>})",
            R"(send {"op":"publish","id":4,"key":"ada-session-1-4","channel":"b","type":"t","payload":<4>})",
            R"(send {"op":"publish","id":5,"key":"ada-session-1-5","channel":"c","type":"t","payload":<5>})"})
    );
}

TEST_F(machine_messages, a_publish_keeps_the_key_that_the_host_gives) {
    publish_options how;
    how.key = "eve-session.7";
    h.publish("a", how);
    h.publish("a");
    const done expected{
        R"(send {"op":"publish","id":1,"key":"eve-session.7","channel":"a","type":"t","payload":<1>})",
        R"(send {"op":"publish","id":2,"key":"ada-session-1-2","channel":"a","type":"t","payload":<2>})"};
    EXPECT_EQ(h.done(), expected);
    h.lost();
    h.online();
    h.done();
    h.opened();
    h.welcome();
    EXPECT_EQ(
        h.done(), (done{
                      R"(send {"op":"connect","version":1,"session":"ada-session","binary":true})",
                      "is open by websocket", expected[0], expected[1]})
    );
}

TEST_F(machine_messages, a_transient_publish_is_never_repeated_and_never_waits) {
    const publish_options transient{.echo = true, .transient = true, .timeout_ms = 0};
    const auto first = h.publish("a", transient);
    EXPECT_EQ(
        h.done(),
        done{R"(send {"op":"publish","id":1,"transient":true,"channel":"a","type":"t","payload":<1>})"}
    );
    const auto answered = h.publish("a", transient);
    h.hears(R"({"op":"published","id":2,"channel":"a"})");
    h.done();
    h.lost();
    EXPECT_EQ(
        h.done(), (done{"failed " + id(first) + ": disconnected", "is waiting 1000 after 1006, failures 1"})
    );
    const auto offline = h.publish("a", transient);
    EXPECT_EQ(h.done(), done{"failed " + id(offline) + ": disconnected"});
    EXPECT_EQ(again(), done{});
    EXPECT_EQ(answered, 2u);
}

TEST_F(machine_messages, a_refused_publish_fails_with_the_words_of_the_server) {
    const auto n = h.publish("a");
    h.done();
    h.hears(R"({"op":"error","id":1,"code":"invalid_payload","pointer":"/text","message":"not \"text\""})");
    EXPECT_EQ(h.done(), done{"failed " + id(n) + R"(: invalid_payload in /text not \"text\")"});
    EXPECT_EQ(again(), done{});
}

TEST_F(machine_messages, an_error_that_answers_no_command_is_told_as_that) {
    h.hears(R"({"op":"error","code":"malformed_json","message":"byte 7"})");
    EXPECT_EQ(h.done(), done{"failed 0: malformed_json byte 7"});
    h.hears(R"({"op":"error","id":4711,"code":"timeout","message":"late"})");
    EXPECT_EQ(h.done(), done{}) << "of a command that nobody waits for any more";
}

TEST_F(machine_messages, a_publish_ends_with_its_timeout_wherever_it_is) {
    const publish_options hurried{.echo = true, .transient = false, .timeout_ms = 2'000};
    const auto sent = h.publish("a", hurried);
    h.done();
    h.pass(1'999);
    EXPECT_EQ(h.done(), done{});
    h.pass(1);
    EXPECT_EQ(h.done(), done{"failed " + id(sent) + ": timeout"});
    h.hears(R"({"op":"published","id":1,"channel":"a","epoch":"x7Qa","offset":19})");
    EXPECT_EQ(h.done(), done{});
    test_host offline;
    const auto waiting = offline.publish("a", hurried);
    offline.pass(2'000);
    EXPECT_EQ(offline.done(), done{"failed " + id(waiting) + ": timeout"});
}

TEST_F(machine_messages, the_outbox_has_room_for_so_many_and_so_much) {
    options o = test_host::steady();
    o.outbox_messages_max = 3;
    o.outbox_bytes_max = 100;
    test_host s(o);
    EXPECT_NE(s.publish("a", {}, 60), 0u);
    EXPECT_EQ(s.publish("a", {}, 41), 0u) << "too much";
    EXPECT_NE(s.publish("a", {}, 40), 0u);
    EXPECT_NE(s.publish("a", {}, 0), 0u);
    EXPECT_EQ(s.publish("a", {}, 0), 0u) << "too many";
    EXPECT_EQ(s.request(), 0u);
    EXPECT_EQ(s.done(), done{});
    s.become_open();
    s.hears(R"({"op":"published","id":1,"channel":"a","epoch":"x7Qa","offset":1})");
    EXPECT_NE(s.publish("a", {}, 60), 0u) << "room again";
}

TEST_F(machine_messages, a_command_that_stays_unanswered_means_the_connection_is_lost) {
    h.publish("a");
    h.done();
    for (int i = 0; i < 9; ++i) {
        h.pass(1'000);
        h.hears(R"({"op":"pong"})");
    }
    EXPECT_EQ(h.done(), done{});
    h.pass(1'000);
    EXPECT_EQ(h.done(), (done{"close with 4001", "is waiting 1000 after 4001, failures 1"}));
    h.subscribe("b");
    again();
    h.hears(R"({"op":"published","id":1,"channel":"a","epoch":"x7Qa","offset":1})");
    h.done();
    h.pass(10'000);
    EXPECT_EQ(h.done(), (done{"close with 4001", "is waiting 1000 after 4001, failures 1"}))
        << "a subscribe too";
}

TEST_F(machine_messages, a_publish_that_is_withdrawn_is_not_sent_and_not_told) {
    h.lost();
    const auto n = h.publish("a");
    h.done();
    h.cancel(n);
    h.cancel(n);
    h.cancel(4711);
    EXPECT_EQ(h.done(), done{});
    EXPECT_EQ(again(), done{});
    const auto sent = h.publish("a");
    h.done();
    h.cancel(sent);
    EXPECT_EQ(h.done(), done{}) << "there is nothing to say to the server";
    EXPECT_EQ(again(), done{}) << "and nothing to repeat";
}

// --- requests and queries (4.12 to 4.16) ---

TEST_F(machine_messages, a_request_is_answered) {
    const auto n = h.request(5'000);
    EXPECT_EQ(
        h.done(), done{R"(send {"op":"request","id":1,"timeout_ms":5000,"type":"sum.add","payload":<1>})"}
    );
    h.hears(R"({"op":"response","id":1,"payload":{"sum":3}})");
    h.hears(R"({"op":"response","id":1,"payload":{"sum":3}})");
    EXPECT_EQ(h.done(), done{"answered " + id(n) + R"(: {"sum":3})"});
}

TEST_F(machine_messages, a_request_may_take_long_but_not_longer_than_its_timeout) {
    const auto n = h.request(60'000);
    h.done();
    for (int i = 0; i < 59; ++i) {
        h.pass(1'000);
        h.hears(R"({"op":"pong"})");
    }
    EXPECT_EQ(h.done(), done{});
    h.pass(1'000);
    EXPECT_EQ(h.done(), done{"failed " + id(n) + ": timeout"});
}

TEST_F(machine_messages, a_request_that_was_sent_fails_with_the_connection_and_one_that_waits_does_not) {
    const auto sent = h.request();
    h.done();
    h.lost();
    EXPECT_EQ(
        h.done(), (done{"failed " + id(sent) + ": disconnected", "is waiting 1000 after 1006, failures 1"})
    );
    h.request();
    EXPECT_EQ(again(), done{R"({"op":"request","id":2,"type":"sum.add","payload":<2>})"});
}

TEST_F(machine_messages, a_request_can_be_withdrawn) {
    const auto n = h.request();
    h.done();
    h.cancel(n);
    EXPECT_EQ(h.done(), done{R"(send {"op":"cancel","id":1})"});
    h.hears(R"({"op":"response","id":1,"payload":2})");
    EXPECT_EQ(h.done(), done{});
    h.lost();
    const auto waiting = h.request();
    h.done();
    h.cancel(waiting);
    EXPECT_EQ(again(), done{});
}

TEST_F(machine_messages, history_and_presence_are_asked_for_and_again_on_the_next_connection) {
    h.machine.history("a", 50, 0, history_page::before, h.now);
    h.machine.history("a", 0, 9, history_page::after, h.now);
    h.machine.presence("a", h.now);
    const done queries = {
        R"({"op":"history","id":1,"channel":"a","limit":50,"backwards":true})",
        R"({"op":"history","id":2,"channel":"a","offset":9})", R"({"op":"presence","id":3,"channel":"a"})"};
    h.hears(R"({"op":"pong"})");
    EXPECT_EQ(h.done(), (done{"send " + queries[0], "send " + queries[1], "send " + queries[2]}));
    EXPECT_EQ(again(), queries);
    h.hears(
        R"({"op":"history","id":1,"channel":"a","epoch":"x7Qa","offset":19,"more":true,"payload":[{"type":"t"}]})"
    );
    h.hears(R"({"op":"presence","id":3,"channel":"a","payload":[]})");
    EXPECT_EQ(h.done(), (done{R"(answered 1: [{"type":"t"}])", "answered 3: []"}));
}

TEST_F(machine_messages, history_is_asked_for_by_time) {  // 4.14
    h.machine.history("a", 5, 1'764'000'000'000, history_page::since, h.now);
    h.machine.history("a", 5, 1'764'000'000'000, history_page::until, h.now);
    h.hears(R"({"op":"pong"})");
    const done said = h.done();
    EXPECT_EQ(said[0], R"(send {"op":"history","id":1,"channel":"a","limit":5,"time":1764000000000})");
    EXPECT_EQ(
        said[1],
        R"(send {"op":"history","id":2,"channel":"a","limit":5,"time":1764000000000,"backwards":true})"
    );
}

// --- order ---

TEST_F(machine_messages, everything_is_said_again_in_the_order_that_was_promised) {  // 9.2
    h.publish("a");
    h.subscribe("a");
    h.subscribe("b");
    h.publish("b");
    h.request();
    EXPECT_EQ(
        again(),
        (done{
            R"({"op":"subscribe","id":6,"channel":"a"})", R"({"op":"subscribe","id":7,"channel":"b"})",
            R"({"op":"publish","id":1,"key":"ada-session-1-1","channel":"a","type":"t","payload":<1>})",
            R"({"op":"publish","id":4,"key":"ada-session-1-4","channel":"b","type":"t","payload":<4>})"})
    );
}

// --- slices ---

TEST_F(machine_messages, every_slice_lies_in_the_line_and_every_number_is_passed_on) {
    h.subscribe_at("a", 5);
    const std::string line =
        R"({"type":"chat.message","channel":"a","offset":6,"time":1764000000000,"payload":[1,2]})";
    h.machine.line(
        h.attempt, line.substr(0, line.find("[1")), static_cast<std::uint32_t>(line.size()), h.now
    );
    ASSERT_EQ(h.machine.actions().size(), 1u);
    const action& a = h.machine.actions()[0];
    EXPECT_EQ(a.kind, action_kind::deliver);
    EXPECT_EQ(a.type.of(line), "chat.message");
    EXPECT_EQ(a.payload.of(line), "[1,2]");
    EXPECT_EQ(a.time, 1764000000000u);
    EXPECT_EQ(a.offset, 6u);
    h.machine.clear_actions();
}

TEST_F(machine_messages, actions_that_are_not_fetched_wait_in_order) {
    h.machine.publish("a", "t", 1, {}, h.now);
    h.machine.publish("b", "t", 1, {}, h.now);
    std::string texts;
    for (const action& a : h.machine.actions()) texts += h.machine.text_of(a);
    EXPECT_NE(texts.find("\"channel\":\"a\""), std::string::npos);
    EXPECT_LT(texts.find("\"channel\":\"a\""), texts.find("\"channel\":\"b\""));
    h.machine.clear_actions();
    EXPECT_TRUE(h.machine.actions().empty());
}

// --- what commands cost (4.20) ---

class machine_pace : public ::testing::Test {
protected:
    machine_pace() {
        h.start();
        h.opened();
        h.hears(R"({"op":"welcome","session":"ada-session","commands_per_second":10})");
        h.done();
    }
    // The ids of the publishes and queries that were sent since the last call.
    std::vector<std::string> sent() {
        std::vector<std::string> ids;
        for (const std::string& line : h.done()) {
            const std::size_t at = line.find("\"id\":");
            if (line.starts_with("send ") && at != std::string::npos)
                ids.push_back(line.substr(at + 5, line.find(',', at) - at - 5));
        }
        return ids;
    }
    test_host h;
};

TEST_F(machine_pace, what_is_more_than_the_server_takes_waits_and_leaves_in_order) {
    for (int i = 0; i < 40; ++i) h.publish("a");
    std::vector<std::string> ids = sent();
    EXPECT_GE(ids.size(), 15u);
    EXPECT_LT(ids.size(), 20u) << "the server takes twenty at once, of which connect was one";
    for (int second = 0; second < 3; ++second) {
        h.pass(1'000);
        for (const auto& id : sent()) ids.push_back(id);
    }
    ASSERT_EQ(ids.size(), 40u);
    for (std::size_t i = 0; i < ids.size(); ++i) EXPECT_EQ(ids[i], std::to_string(i + 1));
}

TEST_F(machine_pace, a_query_costs_ten) {
    h.history("a");
    h.publish("a");
    h.history("a");
    h.publish("a");
    EXPECT_EQ(sent(), (std::vector<std::string>{"1", "2"})) << "nothing overtakes a query that waits";
    h.pass(2'000);
    EXPECT_EQ(sent(), (std::vector<std::string>{"3", "4"}));
}

TEST_F(machine_pace, subscriptions_wait_as_well) {
    for (int i = 0; i < 30; ++i) h.subscribe("a" + std::to_string(i));
    const std::size_t at_once = sent().size();
    EXPECT_LT(at_once, 20u);
    h.pass(2'000);
    EXPECT_EQ(at_once + sent().size(), 30u);
}

TEST_F(machine_pace, a_publish_that_is_refused_for_the_rate_is_sent_again) {
    h.publish("a");
    h.done();
    h.hears(R"({"op":"error","id":1,"code":"rate_limited","message":"m"})");
    h.publish("a");
    EXPECT_EQ(sent(), std::vector<std::string>{}) << "neither failed nor overtaken";
    h.pass(1'000);
    EXPECT_EQ(sent(), (std::vector<std::string>{"1", "2"}));
}

TEST_F(machine_pace, publishes_behind_a_refused_one_are_sent_again_behind_it) {
    for (int i = 0; i < 4; ++i) h.publish("a");
    h.done();
    h.hears(R"({"op":"error","id":2,"code":"rate_limited","message":"m"})");
    h.publish("a");
    h.hears(R"({"op":"error","id":3,"code":"rate_limited","message":"m"})");
    EXPECT_EQ(sent(), std::vector<std::string>{});
    h.pass(1'000);
    EXPECT_EQ(sent(), (std::vector<std::string>{"2", "3", "4", "5"})) << "4's refusal is still on its way";
}

TEST_F(machine_pace, a_request_that_is_refused_for_the_rate_fails) {
    const auto asked = h.request();
    h.done();
    h.hears(R"({"op":"error","id":1,"code":"rate_limited","message":"m"})");
    EXPECT_EQ(h.done().at(0).find("failed " + std::to_string(asked)), 0u);
}

}  // namespace
}  // namespace pulsewire::client
