// What servers that share a log tell a client: positions that change, and a broker that is away
// (protocol 4.27, 4.28).

#include "common/client/test_host.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace pulsewire::client {
namespace {

using done = test_host::lines;

struct machine_nodes : ::testing::Test {
    machine_nodes() { h.become_open(); }
    void message(std::uint64_t offset) {
        h.hears(R"({"type":"t","channel":"a","offset":)" + std::to_string(offset) + R"(,"payload":1})");
    }
    void position(const std::string& more) { h.hears(R"({"op":"position","channel":"a",)" + more + "}"); }

    test_host h;
};

TEST_F(machine_nodes, a_position_with_another_name_goes_on) {
    h.subscribe_at("a", 5);
    position(R"("epoch":"Qm2c","offset":5,"recovered":true)");
    message(6);
    EXPECT_EQ(h.done(), (done{"subscribed to 1: recovered Qm2c 5", "deliver to 1: t at 6 1"}));
    h.lost();
    h.online();
    h.opened();
    h.welcome();
    EXPECT_EQ(h.done().back(), R"(send {"op":"subscribe","id":2,"channel":"a","epoch":"Qm2c","offset":6})");
}

TEST_F(machine_nodes, what_was_left_out_before_is_recovered_under_the_new_name) {
    h.subscribe_at("a", 5);
    position(R"("epoch":"Qm2c","offset":9,"recovered":true)");
    EXPECT_EQ(
        h.done(), (done{
                      R"(send {"op":"unsubscribe","id":2,"channel":"a"})",
                      R"(send {"op":"subscribe","id":3,"channel":"a","epoch":"Qm2c","offset":5})"})
    );
}

TEST_F(machine_nodes, what_the_log_has_lost_is_told_and_lower_places_follow) {
    h.subscribe_at("a", 5);
    position(R"("epoch":"Qm2c","offset":3,"recovered":false,"reason":"epoch_changed")");
    message(4);
    EXPECT_EQ(h.done(), (done{"subscribed to 1: lost Qm2c 3 epoch_changed", "deliver to 1: t at 4 1"}));
}

TEST_F(machine_nodes, a_state_of_a_lost_log_begins_anew_with_its_snapshot) {  // 4.30
    subscribe_options how;
    how.state = true;
    h.subscribe("a", how);
    h.hears(R"({"op":"subscribed","id":1,"channel":"a","epoch":"x7Qa","offset":5,"replay":0})");
    h.done();
    position(R"("epoch":"Qm2c","offset":3,"recovered":false,"reason":"epoch_changed")");
    EXPECT_EQ(
        h.done(),
        (done{
            R"(send {"op":"unsubscribe","id":2,"channel":"a"})",
            R"(send {"op":"subscribe","id":3,"channel":"a","epoch":"x7Qa","offset":5,"state":true})"})
    );
}

TEST_F(machine_nodes, a_position_of_a_channel_that_is_not_live_means_nothing) {
    position(R"("epoch":"Qm2c","offset":3,"recovered":true)");
    h.subscribe("a");
    h.done();
    position(R"("epoch":"Qm2c","offset":3,"recovered":false)");
    EXPECT_EQ(h.done(), done{});
}

TEST_F(machine_nodes, a_broker_that_is_away_is_told_once) {
    h.hears(R"({"op":"degraded","message":"gone"})");
    h.hears(R"({"op":"degraded","message":"gone"})");
    h.hears(R"({"op":"restored"})");
    h.hears(R"({"op":"restored"})");
    EXPECT_EQ(h.done(), (done{"degraded gone", "restored"}));
}

TEST_F(machine_nodes, the_next_server_may_be_better_off) {
    h.hears(R"({"op":"degraded","message":"gone"})");
    h.lost();
    h.online();
    h.opened();
    h.done();
    h.welcome();
    EXPECT_EQ(h.done(), (done{"is open by websocket", "restored"}));
}

TEST_F(machine_nodes, a_subscribe_that_the_broker_refused_is_repeated) {
    h.subscribe("a");
    h.done();
    h.hears(R"({"op":"error","id":1,"code":"broker_unavailable","message":"try again"})");
    const done waits = h.done();
    h.pass(60'000);
    const done later = h.done();
    EXPECT_TRUE(std::any_of(
        later.begin(), later.end(),
        [](const std::string& line) { return line == R"(send {"op":"subscribe","id":2,"channel":"a"})"; }
    )) << ::testing::PrintToString(waits)
       << ::testing::PrintToString(later);
}

}  // namespace
}  // namespace pulsewire::client
