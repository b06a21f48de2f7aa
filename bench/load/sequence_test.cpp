#include "bench/load/sequence.hpp"

#include <gtest/gtest.h>

#include <initializer_list>

namespace pulsewire::bench {
namespace {

delivery_faults faults_of(std::initializer_list<std::uint32_t> sequence, std::uint32_t published) {
    sequence_check check;
    for (const std::uint32_t one : sequence) check.take(one);
    return check.faults(published);
}

TEST(sequence_check, all_in_order_is_without_fault) {
    EXPECT_EQ(faults_of({0, 1, 2, 3}, 4), delivery_faults{});
}

TEST(sequence_check, what_never_comes_is_lost_wherever_it_stood) {
    EXPECT_EQ(faults_of({1, 2}, 3), (delivery_faults{1, 0, 0}));
    EXPECT_EQ(faults_of({0, 3}, 4), (delivery_faults{2, 0, 0}));
    EXPECT_EQ(faults_of({0, 1}, 4), (delivery_faults{2, 0, 0}));
    EXPECT_EQ(faults_of({}, 2), (delivery_faults{2, 0, 0}));
}

TEST(sequence_check, what_comes_late_is_out_of_order_and_not_lost) {
    EXPECT_EQ(faults_of({0, 2, 1}, 3), (delivery_faults{0, 1, 0}));
    EXPECT_EQ(faults_of({2, 0, 1}, 4), (delivery_faults{1, 2, 0}));
}

TEST(sequence_check, what_comes_twice_is_repeated) {
    EXPECT_EQ(faults_of({0, 0, 1, 1}, 2), (delivery_faults{0, 0, 2}));
    sequence_check check;
    EXPECT_TRUE(check.take(0));
    EXPECT_FALSE(check.take(0));
}

}  // namespace
}  // namespace pulsewire::bench
