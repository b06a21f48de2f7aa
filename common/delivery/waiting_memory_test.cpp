#include "common/delivery/waiting_memory.hpp"

#include <gtest/gtest.h>

namespace pulsewire::delivery {
namespace {

TEST(waiting_memory, a_text_that_many_queues_hold_counts_once) {
    waiting_memory memory;
    const std::string text(10'000, 'x');
    for (int i = 0; i < 100; ++i) memory.add(&text);
    EXPECT_GE(memory.bytes(), 10'000u);
    EXPECT_LE(memory.bytes(), 10'000u + 100 * waiting_memory::reference_bytes + 64);
    for (int i = 0; i < 100; ++i) memory.remove(&text);
    EXPECT_EQ(memory.bytes(), 0u);
}

TEST(waiting_memory, texts_of_their_own_count_each) {
    waiting_memory memory;
    memory.set_max(20'000);
    const std::string one(10'000, 'x'), other(10'000, 'x');
    memory.add(&one);
    EXPECT_FALSE(memory.is_too_much());
    memory.add(&other);
    EXPECT_TRUE(memory.is_too_much());
    memory.remove(&one);
    EXPECT_FALSE(memory.is_too_much());
}

TEST(waiting_memory, what_a_connection_holds_for_itself_grows_and_shrinks) {
    waiting_memory memory;
    memory.change(0, 700);
    memory.change(700, 300);
    EXPECT_EQ(memory.bytes(), 300u);
    memory.change(300, 0);
    EXPECT_EQ(memory.bytes(), 0u);
}

}  // namespace
}  // namespace pulsewire::delivery
