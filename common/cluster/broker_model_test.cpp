#include "common/cluster/broker_model.hpp"

#include <gtest/gtest.h>

namespace pulsewire::cluster {
namespace {

class broker_model_test : public ::testing::Test {
protected:
    void open(node_number node, log_connection connection, mark from = {}) {
        broker.on(node, {0, open_log{connection, from}}, now_ms);
        advance();
    }
    void append(node_number node, log_connection connection, const std::string& bytes) {
        broker.on(node, {0, append_record{connection, bytes}}, now_ms);
        advance();
    }
    void advance(std::int64_t ms = 1) { broker.advance(now_ms += ms); }
    // The reports, as text.
    std::string reports(node_number node) {
        std::string text;
        for (const from_broker& r : broker.take(node, 100, now_ms)) {
            if (const opened* const o = std::get_if<opened>(&r.what))
                text += "opened " + std::to_string(o->first.high) + ".." + std::to_string(o->last.high) + " ";
            else if (const record_read* const read = std::get_if<record_read>(&r.what))
                text += read->bytes + "@" + std::to_string(read->at.high) + " ";
            else if (const appended* const a = std::get_if<appended>(&r.what))
                text += "appended " + std::to_string(a->records) + " ";
            else
                text += "closed ";
        }
        return text;
    }

    broker_model broker{broker_options{}};
    std::int64_t now_ms = 0;
};

TEST_F(broker_model_test, all_readers_see_one_order) {
    open(0, 1), open(1, 1);
    append(0, 1, "a");
    append(1, 1, "b");
    EXPECT_EQ(reports(0), "opened 0..0 appended 1 a@1 b@2 ");
    EXPECT_EQ(reports(1), "opened 0..0 appended 1 a@1 b@2 ");
}

TEST_F(broker_model_test, a_connection_begins_with_the_record_it_asks_for) {
    open(0, 1);
    for (const char* const bytes : {"a", "b", "c"}) append(0, 1, bytes);
    open(1, 1, {2, 0});
    EXPECT_EQ(reports(1), "opened 1..3 b@2 c@3 ");
}

TEST_F(broker_model_test, what_is_trimmed_is_gone_and_a_reader_that_needs_it_is_told) {
    open(0, 1), open(1, 1);
    EXPECT_EQ(reports(1), "opened 0..0 ");
    for (const char* const bytes : {"a", "b", "c"}) append(0, 1, bytes);
    broker.on(0, {0, trim_log{1, {3, 0}}}, now_ms);
    EXPECT_EQ(reports(1), "closed ");
    open(1, 2);
    EXPECT_EQ(reports(1), "opened 3..3 c@3 ");
}

TEST_F(broker_model_test, a_failover_breaks_all_connections_and_nothing_sent_before_arrives) {
    open(0, 1);
    append(0, 1, "a");
    append(0, 1, "b");
    broker.set_weather({.latency_ms_max = 1'000});
    append(0, 1, "c");
    EXPECT_EQ(broker.fail_over(1, 0, now_ms), 1u);
    append(0, 1, "d");
    advance(2'000);
    EXPECT_EQ(broker.total(), 1u);
    EXPECT_EQ(reports(0), "opened 0..0 closed ");
    open(0, 2);
    EXPECT_EQ(reports(0), "opened 1..1 a@1 ");
}

TEST_F(broker_model_test, an_old_master_goes_on_for_those_connected_to_it) {
    open(0, 1);
    append(0, 1, "a");
    reports(0);
    broker.fail_over(0, now_ms + 1'000, now_ms);
    append(0, 1, "fork");
    EXPECT_EQ(reports(0), "appended 1 fork@2 ");
    open(1, 1);
    EXPECT_EQ(reports(1), "opened 1..1 a@1 ");
    advance(2'000);
    EXPECT_EQ(reports(0), "closed ");
    EXPECT_EQ(broker.total(), 1u);
}

TEST_F(broker_model_test, reports_appends_in_their_order_and_none_behind_a_lost_one) {
    open(0, 1);
    broker.set_weather({.lost = 100});
    append(0, 1, "a");
    broker.set_weather({});
    append(0, 1, "b");
    EXPECT_EQ(reports(0), "opened 0..0 b@1 ");
    open(0, 2);
    append(0, 2, "c");
    EXPECT_EQ(reports(0), "opened 1..1 appended 1 b@1 c@2 ");
}

TEST_F(broker_model_test, is_silent_while_paused_and_refuses_while_full) {
    open(0, 1);
    broker.pause(now_ms + 100);
    append(0, 1, "a");
    EXPECT_EQ(reports(0), "opened 0..0 ");
    advance(200);
    EXPECT_EQ(reports(0), "appended 1 a@1 ");
    broker.fill(now_ms + 100);
    append(0, 1, "b");
    EXPECT_EQ(reports(0), "closed ");
    EXPECT_EQ(broker.total(), 1u);
}

TEST_F(broker_model_test, appends_may_come_twice_and_late) {
    open(0, 1);
    broker.set_weather({.doubled = 100});
    append(0, 1, "a");
    EXPECT_EQ(reports(0), "opened 0..0 appended 1 a@1 a@2 ");
}

}  // namespace
}  // namespace pulsewire::cluster
