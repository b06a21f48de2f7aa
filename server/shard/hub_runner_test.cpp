// The hub of a shard, its deliveries and its drain, with connections that have no sockets.

#include "server/shard/hub_runner.hpp"

#include "server/shard/drain.hpp"
#include "server/testing/lone_shard.hpp"
#include "server/testing/recording_node.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace pulsewire::shell {
namespace {

using texts = std::vector<std::string>;

// Writes down what the hub sends, and does something at each message.
class listening_conversation : public recording_conversation {
public:
    listening_conversation(texts& told, std::function<void(const hub::message&)> then)
        : recording_conversation(told), told_(told), then_(std::move(then)) {}
    void on_message(const hub::message_ptr& m, delivery::counts) override {
        told_.push_back(m->line);
        if (then_) then_(*m);
    }
    void on_close(close_code code, std::string_view) override {
        told_.push_back("close " + std::to_string(static_cast<int>(code)));
    }

private:
    texts& told_;
    std::function<void(const hub::message&)> then_;
};

class a_hub_runner : public ::testing::Test {
protected:
    std::uint64_t open(std::function<void(const hub::message&)> then = {}) {
        const std::uint64_t id = connections_.next_id();
        connection& c = connections_.add(std::make_unique<connection>(home_, id, tcp_socket(-1)));
        c.become(std::make_unique<listening_conversation>(told_, std::move(then)));
        hub_.tell([&](hub::hub& h, hub::instant now) {
            h.open(id, hub::face::plain_websocket, {}, "somebody-" + std::to_string(id), now);
        });
        return id;
    }
    static hub::config one_shard() {
        hub::config c;
        c.shard_count = 1;
        return c;
    }
    static command command_of(command_op op, std::uint64_t id) {
        command c;
        c.op = op;
        c.id = id;
        c.channel = "room";
        c.type = "t";
        c.payload = "1";
        return c;
    }
    void execute(std::uint64_t connection, const command& c) {
        hub_.tell([&](hub::hub& h, hub::instant now) { h.execute(connection, c, now); });
    }
    // Of the lines that were sent, those that hold the text.
    std::size_t count(std::string_view text) const {
        return static_cast<std::size_t>(std::count_if(
            told_.begin(), told_.end(),
            [&](const std::string& one) { return one.find(text) != std::string::npos; }
        ));
    }

    lone_shard home_;
    recording_node node_;
    texts told_;
    std::uint64_t exceptions_ = 0;
    connection_table connections_{exceptions_};
    program_sessions programs_;
    deliveries deliveries_{connections_, programs_, home_};
    turn_posts posts_{node_, 0};
    hub_runner hub_{one_shard(), deliveries_, posts_, observer_gate({}), home_};
    drain drain_{connections_, hub_, node_, home_};
};

TEST_F(a_hub_runner, the_answer_of_the_hub_reaches_its_connection) {
    const std::uint64_t id = open();
    told_.clear();
    execute(id, command_of(command_op::subscribe, 1));
    EXPECT_EQ(count("\"subscribed\""), 1u);
}

// The answers of the inner call come after everything that the outer one made.
TEST_F(a_hub_runner, a_conversation_may_tell_the_hub_something_while_it_is_told_something) {
    std::uint64_t id = 0;
    id = open([&](const hub::message& m) {
        if (m.kind == hub::message_kind::subscribed) execute(id, command_of(command_op::publish, 2));
    });
    told_.clear();
    execute(id, command_of(command_op::subscribe, 1));
    ASSERT_GE(told_.size(), 2u);
    EXPECT_NE(told_.front().find("\"subscribed\""), std::string::npos);
    EXPECT_EQ(count("\"published\""), 1u);
}

TEST_F(a_hub_runner, a_message_for_many_is_collected_until_the_end_of_the_turn) {
    for (int i = 0; i < 10; ++i) execute(open(), command_of(command_op::subscribe, 1));
    const std::uint64_t publisher = open();
    told_.clear();
    execute(publisher, command_of(command_op::publish, 2));
    EXPECT_EQ(count("\"payload\":1"), 0u);
    deliveries_.write_collected();
    EXPECT_EQ(count("\"payload\":1"), 10u);
    deliveries_.end_turn();
}

// Promise P1: what is sent to a connection alone does not overtake what was collected for it.
TEST_F(a_hub_runner, what_was_collected_for_a_connection_comes_before_what_it_is_sent_alone) {
    std::vector<std::uint64_t> subscribers;
    for (int i = 0; i < 10; ++i)
        execute(subscribers.emplace_back(open()), command_of(command_op::subscribe, 1));
    execute(open(), command_of(command_op::publish, 2));
    told_.clear();
    execute(subscribers[3], command_of(command_op::ping, 3));
    ASSERT_EQ(told_.size(), 2u);
    EXPECT_NE(told_[0].find("\"payload\":1"), std::string::npos);
    EXPECT_NE(told_[1].find("\"pong\""), std::string::npos);
    deliveries_.write_collected();
    EXPECT_EQ(count("\"payload\":1"), 10u);
    deliveries_.end_turn();
}

TEST_F(a_hub_runner, a_drain_ends_everybody_and_reports_each_step_once) {
    const std::uint64_t id = open();
    drain_.report();
    EXPECT_EQ(node_.take_calls(), texts{});
    told_.clear();
    drain_.begin();
    EXPECT_TRUE(drain_.begun());
    EXPECT_EQ(count("close 1012"), 1u);
    // What speaks only HTTP is told by the shell, since the hub knows nothing of it.
    EXPECT_EQ(told_.back(), "drain");
    // The connection is still there, to write its last words.
    drain_.report();
    drain_.report();
    EXPECT_EQ(node_.take_calls(), texts{"quiet"});
    (void)connections_.remove(id);
    drain_.report();
    drain_.report();
    EXPECT_EQ(node_.take_calls(), texts{"drained"});
}

}  // namespace
}  // namespace pulsewire::shell
