#include "common/session/subscribers.hpp"

#include "common/base/random.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace pulsewire::hub {
namespace {

TEST(subscribers, finds_what_was_added_from_both_sides) {
    subscriber_table table(hash_key{1, 2});
    session ada, bob;
    EXPECT_EQ(table.find("a"), nullptr);
    EXPECT_EQ(table.find(ada, "a"), nullptr);
    subscription& first = table.add(ada, "a");
    subscription& second = table.add(bob, "a");
    subscription& third = table.add(ada, "b");
    EXPECT_EQ(table.find(ada, "a"), &first);
    EXPECT_EQ(table.find(bob, "a"), &second);
    EXPECT_EQ(table.find(ada, "b"), &third);
    EXPECT_EQ(table.find(bob, "b"), nullptr);
    EXPECT_EQ(table.find("a")->subscribers.size(), 2u);
    EXPECT_EQ(table.find("a")->name, "a");
    EXPECT_EQ(table.size(), 3u);
}

TEST(subscribers, tells_when_a_channel_has_lost_its_last_one_here) {
    subscriber_table table(hash_key{1, 2});
    session ada, bob;
    subscription& first = table.add(ada, "a");
    subscription& second = table.add(bob, "a");
    EXPECT_FALSE(table.remove(first));
    EXPECT_TRUE(table.remove(second));
    EXPECT_EQ(table.find("a"), nullptr);
    EXPECT_EQ(table.size(), 0u);
    EXPECT_TRUE(ada.subscriptions.empty() && bob.subscriptions.empty());
    EXPECT_EQ(table.find(ada, "a"), nullptr);
}

TEST(subscribers, stays_right_under_random_comings_and_goings) {
    subscriber_table table(hash_key{1, 2});
    std::vector<std::unique_ptr<session>> sessions;
    for (int i = 0; i < 7; ++i) sessions.push_back(std::make_unique<session>());
    std::set<std::pair<std::size_t, std::string>> expected;
    std::uint64_t random = 3;
    for (int step = 0; step < 5'000; ++step) {
        const std::size_t who = next_random(random, 7);
        const std::string channel(1, static_cast<char>('a' + next_random(random, 5)));
        subscription* found = table.find(*sessions[who], channel);
        ASSERT_EQ(found != nullptr, expected.contains({who, channel}));
        if (found == nullptr) {
            table.add(*sessions[who], channel);
            expected.emplace(who, channel);
        } else {
            ASSERT_EQ(found->owner, sessions[who].get());
            ASSERT_EQ(found->where->name, channel);
            expected.erase({who, channel});
            std::size_t left = 0;
            for (const auto& [session, name] : expected) left += name == channel ? 1 : 0;
            ASSERT_EQ(table.remove(*found), left == 0);
        }
        ASSERT_EQ(table.size(), expected.size());
    }
}

}  // namespace
}  // namespace pulsewire::hub
