#include "server/shard/turn_posts.hpp"

#include "server/testing/recording_node.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace pulsewire::shell {
namespace {

using calls = std::vector<std::string>;

class counting_observer : public observer_port {
public:
    void post(std::vector<hub::to_observer>&& batch) override { batches.push_back(batch.size()); }
    bool admit() override { return true; }
    hub::interests wants() const override { return {}; }

    std::vector<std::size_t> batches;
};

hub::output::post post_to(hub::shard_index shard) {
    return {shard, hub::to_session(hub::disconnect{})};
}

TEST(turn_posts, what_goes_to_one_target_leaves_in_one_batch) {
    recording_node node;
    counting_observer observer;
    node.observing = {&observer};
    turn_posts posts(node, 1);
    posts.add(post_to(2));
    posts.add(hub::output::notice{0, hub::disconnected{}});
    posts.add(post_to(2));
    EXPECT_EQ(node.take_calls(), calls{});
    posts.leave();
    EXPECT_EQ(node.take_calls(), calls{"post 2: 2"});
    EXPECT_EQ(observer.batches, std::vector<std::size_t>{1});
}

// What the disk has to keep is the longest way, so it begins first.
TEST(turn_posts, operations_for_the_disk_leave_first) {
    recording_node node;
    turn_posts posts(node, 1);
    std::vector<hub::store_op> operations(2);
    posts.add(post_to(0));
    posts.add(operations);
    posts.leave();
    EXPECT_EQ(node.take_calls(), (calls{"store from 1: 2", "post 0: 1"}));
}

TEST(turn_posts, nothing_leaves_twice) {
    recording_node node;
    turn_posts posts(node, 1);
    EXPECT_TRUE(posts.empty());
    posts.add(post_to(0));
    EXPECT_FALSE(posts.empty());
    posts.leave();
    EXPECT_TRUE(posts.empty());
    node.take_calls();
    posts.leave();
    EXPECT_EQ(node.take_calls(), calls{});
}

}  // namespace
}  // namespace pulsewire::shell
