#include "server/feed/kafka/offsets.hpp"

#include <gtest/gtest.h>

namespace pulsewire::shell::feed {
namespace {

using place = std::pair<std::int32_t, std::int64_t>;

TEST(kafka_offsets, commit_what_all_before_are_acknowledged_of) {
    kafka_offsets of;
    of.given(1, 0, 10);
    of.given(2, 0, 11);
    of.given(3, 0, 14);  // offsets have holes, where transactions were
    of.given(4, 1, 7);
    EXPECT_EQ(of.acknowledged(2), place(0, 10));
    EXPECT_EQ(of.acknowledged(4), place(1, 8));
    EXPECT_EQ(of.acknowledged(1), place(0, 14));
    EXPECT_EQ(of.acknowledged(3), place(0, 15));
    EXPECT_EQ(of.acknowledged(3), std::nullopt);
}

TEST(kafka_offsets, know_nothing_of_what_was_given_before_a_new_assignment) {
    kafka_offsets of;
    of.given(1, 0, 10);
    of.clear();
    EXPECT_FALSE(of.is_open(1));
    EXPECT_EQ(of.acknowledged(1), std::nullopt);
    of.given(2, 0, 5);
    EXPECT_EQ(of.acknowledged(2), place(0, 6));
}

}  // namespace
}  // namespace pulsewire::shell::feed
