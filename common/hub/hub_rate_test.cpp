// Work is paid for: what a connection may ask for in a second, by commands and by the bytes of its answers.

#include "common/hub/test_node.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace pulsewire::hub {
namespace {

constexpr std::uint64_t connection = 1;
constexpr std::size_t room = 1 << 20;

// One hub that allows ten commands a second, and a client of it whose lines wait while it rests, as in a
// server.
class rate : public ::testing::Test {
protected:
    rate() {
        config c;
        c.bounds.commands_per_second = 10;
        c.bounds.presence_members_max = 1'000;
        hub_ = std::make_unique<hub>(c);
        open(connection);
    }
    void open(std::uint64_t id) {
        hub_->open(id, face::protocol, {}, {}, now());
        const std::string name = "session-" + std::to_string(id);
        hub_->receive(id, R"({"op":"connect","version":1,"session":")" + name + R"("})", now());
        hub_->out().clear();
    }
    instant now() const { return {ms, 1'764'000'000'000 + ms}; }

    // Gives the lines to the hub. What it did not carry out stays in `waits`.
    void say(const std::string& lines) {
        waits += lines;
        go_on();
    }
    // The codes of the errors, or "" for other answers; what the hub wants besides is in `rests_until`,
    // `ended`.
    std::vector<std::string> go_on() {
        waits.erase(0, hub_->receive(connection, waits, now(), room));
        output& out = hub_->out();
        std::vector<std::string> codes;
        for (const output::send& s : out.sends) {
            codes.push_back(member_of(s.what->line, "code"));
            bytes += s.what->line.size();
        }
        for (const output::rest& r : out.rests) rests_until = r.until_ms;
        for (const output::close& c : out.closes) ended = c.code;
        refused += static_cast<std::size_t>(std::count(codes.begin(), codes.end(), "rate_limited"));
        answered += codes.size();
        out.clear();
        return codes;
    }
    static std::string repeated(std::string_view line, int times) {
        std::string lines;
        for (int i = 0; i < times; ++i) lines.append(line).append("\n");
        return lines;
    }

    std::unique_ptr<hub> hub_;
    std::string waits;
    std::int64_t ms = 1'000, rests_until = 0;
    close_code ended = close_code::none;
    std::size_t refused = 0, answered = 0, bytes = 0;
};

constexpr std::string_view ping = R"({"op":"ping","id":1})";

TEST_F(rate, who_does_not_heed_refusals_is_not_read_for_a_second) {
    say(repeated(ping, 100));
    EXPECT_EQ(refused, 10u) << "as many as it may send in a second";
    EXPECT_EQ(answered, 19u + 10u) << "two seconds' commands, of which connect was one";
    EXPECT_EQ(rests_until, 2'000);
    EXPECT_EQ(waits.size(), 71u * (ping.size() + 1)) << "the others wait unread";
    ms = 1'999;
    EXPECT_TRUE(go_on().empty());
    ms = 2'000;
    EXPECT_EQ(go_on().size(), 20u) << "a second's commands, and a second's refusals";
    EXPECT_EQ(rests_until, 3'000);
}

std::string publish(int id, const char* more = "") {
    return R"({"op":"publish","id":)" + std::to_string(id) + R"(,"channel":"a","key":"key-)" +
           std::to_string(id) + "\"" + more + R"(,"type":"t","payload":1})" + "\n";
}

TEST_F(rate, publishes_behind_a_refused_one_wait_until_it_comes_again) {
    for (int id = 1; id <= 20; ++id) say(publish(id));
    EXPECT_EQ(refused, 1u) << "two seconds' commands, of which connect was one";
    ms += 900;
    say(publish(21) + publish(22));
    EXPECT_EQ(refused, 3u) << "on their way already, they would overtake it";
    say(R"({"op":"publish","id":23,"channel":"a","transient":true,"type":"t","payload":1})" +
        std::string("\n") + std::string(ping) + "\n");
    EXPECT_EQ(refused, 3u) << "what has no place in the order";
    EXPECT_EQ(go_on().size(), 0u);
    say(publish(20) + publish(21));
    EXPECT_EQ(refused, 3u);
}

TEST_F(rate, a_refused_publish_that_does_not_come_again_holds_others_up_for_a_second) {
    for (int id = 1; id <= 20; ++id) say(publish(id));
    ms += 999;
    say(publish(21));
    EXPECT_EQ(refused, 2u);
    ms += 1;
    say(publish(22));
    EXPECT_EQ(refused, 2u);
}

TEST_F(rate, who_needs_ten_rests_in_a_row_is_sent_away) {
    std::vector<std::int64_t> rests;
    waits = repeated(ping, 1'000);
    for (; ended == close_code::none && ms < 60'000; ms = rests_until) {
        go_on();
        rests.push_back(rests_until);
    }
    EXPECT_EQ(ended, close_code::policy_violation);
    EXPECT_EQ(rests.size(), 11u) << "the eleventh time it ends";
    EXPECT_EQ(hub_->session_count(), 0u);
}

TEST_F(rate, rests_that_lie_apart_are_forgotten) {
    for (int i = 0; i < 30; ++i, ms += 20'000) {
        waits = repeated(ping, 40);
        go_on();
    }
    EXPECT_EQ(ended, close_code::none);
    EXPECT_EQ(refused, 30u * 10);
}

TEST_F(rate, lines_without_an_id_count_as_refused_too) {
    say(repeated(R"({"op":"pong"})", 1'000));
    EXPECT_EQ(refused, 1u) << "told once for one message";
    EXPECT_EQ(rests_until, 2'000);
    EXPECT_EQ(waits.size(), (1'000u - 19 - 10) * 14);
}

// A line of 60 bytes can ask for a megabyte. The debt is paid before anything else is read.
TEST_F(rate, an_answer_is_paid_by_its_bytes) {
    const std::string payload(60'000, 'x');
    for (int i = 0; i < 10; ++i) {
        hub_->open(2, face::api, {}, "api-session", now());
        hub_->receive(
            2, R"({"op":"publish","channel":"a","type":"t","payload":")" + payload + R"("})", now()
        );
        hub_->out().clear();
        ms += 1'000;
    }
    waits = repeated(R"({"op":"subscribe","id":1,"channel":"a","latest":10})", 1) + repeated(ping, 5);
    const std::size_t whole = go_on().size();
    EXPECT_EQ(whole, 1u + 10u) << "the pings wait";
    EXPECT_GT(bytes, 600'000u);
    const auto per_second = static_cast<std::int64_t>(answer_bytes_per_command) * 10;
    const auto debt = static_cast<std::int64_t>(bytes) - 2 * per_second;
    EXPECT_NEAR(static_cast<double>(rests_until - ms), static_cast<double>(debt * 1'000 / per_second), 20.0);
    ms = rests_until - 1;
    EXPECT_TRUE(go_on().empty());
    ms = rests_until;
    EXPECT_EQ(go_on().size(), 5u);
    EXPECT_EQ(refused, 0u) << "debts refuse nothing";
    EXPECT_TRUE(waits.empty());
}

TEST_F(rate, a_list_of_members_is_paid_by_its_bytes_too) {
    const std::string info(1'000, 'x');
    for (std::uint64_t id = 2; id < 200; ++id) {
        open(id);
        hub_->receive(id, R"({"op":"subscribe","id":1,"channel":"a","payload":")" + info + R"("})", now());
        hub_->out().clear();
    }
    waits = repeated(R"({"op":"subscribe","id":1,"channel":"a","presence":true})", 1) + std::string(ping);
    go_on();
    EXPECT_GT(bytes, 198'000u);
    EXPECT_GT(rests_until, ms + 2'000);
}

TEST_F(rate, messages_of_a_plain_websocket_are_counted_as_well) {
    hub_->open(5, face::plain_websocket, {}, "plain-session", now());
    command c;
    c.op = command_op::publish;
    c.channel = "a";
    c.type = "message";
    c.payload = "1";
    for (int i = 0; i < 35; ++i) hub_->execute(5, c, now());
    ASSERT_EQ(hub_->out().rests.size(), 1u) << "while it rests the shell gives it nothing more";
    EXPECT_EQ(hub_->out().rests[0].connection, 5u);
    EXPECT_EQ(hub_->out().rests[0].until_ms, 2'000);
    hub_->out().clear();
}

TEST_F(rate, nobody_earns_credit_while_the_loop_is_late) {
    say(repeated(ping, 19));
    ms += 1'000;
    hub_->was_late(900);
    say(repeated(ping, 2));
    EXPECT_EQ(refused, 1u) << "one command in the hundred milliseconds that were served";
    ms += 100;
    say(repeated(ping, 1));
    EXPECT_EQ(refused, 1u) << "and then as before";
}

}  // namespace
}  // namespace pulsewire::hub
