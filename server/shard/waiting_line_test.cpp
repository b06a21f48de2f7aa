#include "server/shard/waiting_line.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <vector>

namespace pulsewire::shell {
namespace {

using ids = std::vector<std::uint64_t>;

constexpr std::chrono::milliseconds none{0}, much{3'600'000};

ids served(waiting_line& line, std::chrono::milliseconds most) {
    ids all;
    line.serve(time_slice(most), [&](std::uint64_t id) { all.push_back(id); });
    return all;
}

TEST(waiting_line, all_are_served_in_their_order_where_there_is_time) {
    waiting_line line;
    line.add(3);
    line.add(ids{1, 2});
    EXPECT_EQ(served(line, much), (ids{3, 1, 2}));
    EXPECT_TRUE(line.empty());
}

TEST(waiting_line, one_is_served_however_little_time_there_is_and_the_others_keep_their_places) {
    waiting_line line;
    line.add(ids{1, 2, 3});
    EXPECT_EQ(served(line, none), ids{1});
    line.add(4);
    EXPECT_EQ(served(line, none), ids{2});
    EXPECT_EQ(served(line, much), (ids{3, 4}));
    EXPECT_EQ(served(line, none), ids{});
}

TEST(waiting_line, the_last_ones_are_visited_without_losing_their_places) {
    waiting_line line;
    line.add(ids{1, 2, 3});
    ids last;
    line.each_of_last(2, [&](std::uint64_t id) { last.push_back(id); });
    line.each_of_last(9, [&](std::uint64_t id) { last.push_back(id); });
    EXPECT_EQ(last, (ids{2, 3, 1, 2, 3}));
    EXPECT_EQ(served(line, much), (ids{1, 2, 3}));
}

}  // namespace
}  // namespace pulsewire::shell
