#include "server/shard/due_connections.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace pulsewire::shell {
namespace {

using ids = std::vector<std::uint64_t>;

ids taken(due_connections& due) {
    const auto all = due.take();
    return {all.begin(), all.end()};
}

TEST(due_connections, each_is_taken_once_in_its_order) {
    due_connections due;
    due.add(3);
    due.add(1);
    EXPECT_EQ(taken(due), (ids{3, 1}));
    EXPECT_EQ(taken(due), ids{});
}

TEST(due_connections, what_is_added_while_the_others_are_seen_to_is_for_the_next_turn) {
    due_connections due;
    for (std::uint64_t i = 1; i <= 100; ++i) due.add(i);
    std::uint64_t sum = 0;
    for (const std::uint64_t id : due.take()) {
        sum += id;
        due.add(1'000 + id);
    }
    EXPECT_EQ(sum, 5'050u);
    EXPECT_EQ(taken(due).size(), 100u);
}

}  // namespace
}  // namespace pulsewire::shell
