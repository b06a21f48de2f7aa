// How many lines of one connection are carried out before its answers are written: hub::receive().

#include "common/hub/hub.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace pulsewire::hub {
namespace {

constexpr instant now{1'000, 1'764'000'000'000};
constexpr std::uint64_t connection = 1;

// Some hubs of one node; a client is on the first.
class unread : public ::testing::Test {
protected:
    void start(shard_index shards) {
        for (shard_index i = 0; i < shards; ++i) {
            config c;
            c.shard = i;
            c.shard_count = shards;
            c.bounds.commands_per_second = 0;
            hubs_.push_back(std::make_unique<hub>(c));
        }
        first().open(connection, face::protocol, {}, {}, now);
        first().receive(connection, R"({"op":"connect","version":1,"session":"abcdefgh"})", now);
        first().out().clear();
    }
    hub& first() { return *hubs_[0]; }
    std::size_t answers() { return first().out().sends.size(); }

    // A channel that this hub owns.
    std::string channel_of(shard_index owner) {
        std::string name = "a";
        while (pulsewire::hub::owner_of(name, static_cast<shard_index>(hubs_.size()), {}) != owner)
            name += "a";
        return name;
    }
    // Carries out what the first hub has posted, and gives it the answers.
    void let_others_answer() {
        std::vector<output::post> posts = std::move(first().out().posts);
        first().out().clear();
        for (output::post& p : posts) hubs_[p.to]->receive(std::move(p.what), now);
        for (std::size_t i = 1; i < hubs_.size(); ++i) {
            std::vector<output::post> back = std::move(hubs_[i]->out().posts);
            hubs_[i]->out().clear();
            for (output::post& p : back) first().receive(std::move(p.what), now);
        }
    }

    std::vector<std::unique_ptr<hub>> hubs_;
};

std::string repeated(const std::string& line, int times) {
    std::string lines;
    for (int i = 0; i < times; ++i) lines += line + "\n";
    return lines;
}

TEST_F(unread, lines_wait_when_answers_are_more_than_they_may_be) {
    start(1);
    const std::string line = R"({"op":"history","id":2,"channel":"a"})";
    const std::string lines = repeated(line, 10);
    std::size_t done = first().receive(connection, lines, now, 1);
    EXPECT_EQ(done, line.size() + 1) << "one answer is always made";
    EXPECT_EQ(answers(), 1u);
    first().out().clear();
    done += first().receive(connection, std::string_view(lines).substr(done), now, 200);
    EXPECT_GT(answers(), 1u);
    EXPECT_LT(answers(), 9u);
    EXPECT_EQ(done, (1 + answers()) * (line.size() + 1)) << "and each line counts once";
}

TEST_F(unread, without_a_bound_all_lines_are_carried_out) {
    start(2);
    const std::string lines = repeated(R"({"op":"history","id":2,"channel":")" + channel_of(1) + "\"}", 10);
    EXPECT_EQ(first().receive(connection, lines, now), lines.size());
    EXPECT_EQ(first().out().posts.size(), 10u);
}

TEST_F(unread, an_answer_that_another_shard_makes_anew_is_waited_for) {
    start(2);
    for (const std::string op :
         {R"("history","id":2)", R"("presence","id":2)", R"("subscribe","id":2,"presence":true)"}) {
        const std::string line = R"({"op":)" + op + R"(,"channel":")" + channel_of(1) + "\"}";
        const std::string lines = repeated(line, 10);
        EXPECT_EQ(first().receive(connection, lines, now, 1'000'000), line.size() + 1) << op;
        EXPECT_EQ(first().receive(connection, lines, now, 1'000'000), 0u) << op;
        let_others_answer();
        EXPECT_GT(answers(), 0u) << op;
        first().out().clear();
        EXPECT_GT(first().receive(connection, R"({"op":"ping","id":3})", now, 1'000'000), 0u) << op;
        first().receive(connection, R"({"op":"unsubscribe","channel":")" + channel_of(1) + "\"}", now);
        let_others_answer();
        first().out().clear();
    }
}

// References to what the history holds are cheap, so that a client with many channels recovers quickly.
TEST_F(unread, some_replays_of_another_shard_are_waited_for_together) {
    start(2);
    const std::string channel = channel_of(1);
    const std::string pair = R"({"op":"subscribe","channel":")" + channel + R"(","latest":300})" + "\n" +
                             R"({"op":"unsubscribe","channel":")" + channel + "\"}\n";
    std::string lines;
    for (int i = 0; i < 20; ++i) lines += pair;
    const std::size_t done = first().receive(connection, lines, now, 1'000'000);
    EXPECT_EQ(done, (awaited_answers_max - 1) * pair.size() + pair.find('\n') + 1);
    let_others_answer();
    EXPECT_EQ(answers(), 1u) << "all but the last are unsubscribed again";
    EXPECT_GT(first().receive(connection, lines.substr(done), now, 1'000'000), pair.size());
}

TEST_F(unread, subscribing_for_what_comes_waits_for_nothing) {
    start(2);
    std::string lines;
    for (int i = 0; i < 100; ++i)
        lines += R"({"op":"subscribe","channel":")" + channel_of(1) + std::to_string(i) + "\"}\n";
    EXPECT_EQ(first().receive(connection, lines, now, 1'000'000), lines.size());
}

TEST_F(unread, lines_of_a_connection_that_is_gone_are_done) {
    start(1);
    first().closed(connection, now);
    EXPECT_EQ(first().receive(connection, "{}\n{}\n", now, 1), 6u);
}

}  // namespace
}  // namespace pulsewire::hub
