#include "common/client/channel_table.hpp"

#include "common/base/random.hpp"

#include <gtest/gtest.h>

#include <map>
#include <string>

namespace pulsewire::client {
namespace {

TEST(channel_table, finds_by_id_and_by_channel) {
    channel_table table;
    EXPECT_EQ(table.with_id(0), nullptr);
    EXPECT_EQ(table.with_id(1), nullptr);
    EXPECT_EQ(table.with_channel("a"), nullptr);
    EXPECT_EQ(table.add("a"), 1u);
    EXPECT_EQ(table.add("b"), 2u);
    EXPECT_EQ(table.with_channel("b"), table.with_id(2));
    EXPECT_EQ(table.id_of(*table.with_channel("a")), 1u);
    EXPECT_EQ(table.with_id(1)->state, subscription_state::idle);
    EXPECT_EQ(table.with_channel(""), nullptr);
    EXPECT_EQ(table.with_channel("c"), nullptr);
    EXPECT_EQ(table.with_id(3), nullptr);
}

TEST(channel_table, a_removed_one_is_gone_and_leaves_a_clean_slot) {
    channel_table table;
    table.add("a");
    table.add("b");
    table.with_id(1)->has_position = true;
    table.with_id(1)->epoch = "x";
    EXPECT_NE(table.with_channel("a"), nullptr);
    table.remove(1);
    EXPECT_EQ(table.with_id(1), nullptr);
    EXPECT_EQ(table.with_channel("a"), nullptr) << "also when it was the last one found";
    EXPECT_EQ(table.with_channel(""), nullptr);
    EXPECT_EQ(table.add("c"), 1u);
    EXPECT_FALSE(table.with_id(1)->has_position);
    EXPECT_TRUE(table.with_id(1)->epoch.empty());
    EXPECT_EQ(table.with_channel("b"), table.with_id(2));
    table.clear();
    EXPECT_EQ(table.with_channel("b"), nullptr);
    EXPECT_EQ(table.with_id(1), nullptr);
    EXPECT_EQ(table.add("d"), 1u);
}

TEST(channel_table, stays_right_under_random_use) {
    channel_table table;
    std::map<std::string, std::uint32_t> expected;
    std::uint64_t random = 11;
    for (int step = 0; step < 5'000; ++step) {
        const std::string channel = "room:" + std::to_string(next_random(random, 60));
        subscription* found = table.with_channel(channel);
        ASSERT_EQ(found != nullptr, expected.contains(channel));
        if (next_random(random, 3) == 0) continue;
        if (found == nullptr) {
            expected[channel] = table.add(channel);
        } else {
            ASSERT_EQ(table.id_of(*found), expected[channel]);
            table.remove(expected[channel]);
            expected.erase(channel);
        }
        for (const auto& [name, id] : expected) ASSERT_EQ(table.with_id(id)->channel, name);
        ASSERT_LE(table.slots().size(), 60u) << "slots are used again";
    }
}

}  // namespace
}  // namespace pulsewire::client
