#include "common/hub/idempotency.hpp"

#include <gtest/gtest.h>

#include <string>

namespace pulsewire::hub {
namespace {

TEST(idempotency, remembers_the_first_offset_of_a_key) {  // protocol 4.9
    idempotency_window window(1'000, 100);
    EXPECT_EQ(window.find("a", "e", "k", 0), 0u);
    window.remember("a", "e", "k", 7, 0);
    EXPECT_EQ(window.find("a", "e", "k", 5), 7u);
    window.remember("a", "e", "k", 8, 6);
    EXPECT_EQ(window.find("a", "e", "k", 7), 7u);
    EXPECT_EQ(window.size(), 1u);
}

TEST(idempotency, tells_channels_epochs_and_keys_apart) {
    idempotency_window window(1'000, 100);
    window.remember("a", "e", "k", 7, 0);
    EXPECT_EQ(window.find("b", "e", "k", 0), 0u);
    EXPECT_EQ(window.find("a", "f", "k", 0), 0u);
    EXPECT_EQ(window.find("a", "e", "l", 0), 0u);
    window.remember("ab", "c", "d", 1, 0);
    EXPECT_EQ(window.find("a", "bc", "d", 0), 0u);
    EXPECT_EQ(window.find("ab", "cd", "", 0), 0u);
}

TEST(idempotency, forgets_after_its_window) {
    idempotency_window window(1'000, 100);
    window.remember("a", "e", "k", 7, 50);
    window.remember("a", "e", "l", 8, 60);
    EXPECT_EQ(window.find("a", "e", "k", 1'050), 7u);
    EXPECT_EQ(window.find("a", "e", "k", 1'051), 0u);
    EXPECT_EQ(window.size(), 1u);
    window.remember("a", "e", "k", 9, 1'052);
    EXPECT_EQ(window.find("a", "e", "k", 2'052), 9u) << "its age counts from the second time";
    window.trim(1'000'000);
    EXPECT_EQ(window.size(), 0u);
}

TEST(idempotency, forgets_the_oldest_when_there_are_too_many) {
    idempotency_window window(1'000'000, 3);
    for (int i = 1; i <= 5; ++i)
        window.remember("a", "e", "k" + std::to_string(i), static_cast<std::uint64_t>(i), i);
    EXPECT_EQ(window.size(), 3u);
    EXPECT_EQ(window.find("a", "e", "k2", 6), 0u);
    EXPECT_EQ(window.find("a", "e", "k3", 6), 3u);
    EXPECT_EQ(window.find("a", "e", "k5", 6), 5u);
}

TEST(idempotency, keeps_its_size_under_a_stream_of_keys) {
    idempotency_window window(10, 1'000);
    for (int i = 0; i < 20'000; ++i) {
        window.remember("a", "e", std::to_string(i), 1, i);
        ASSERT_LE(window.size(), 12u);
    }
}

}  // namespace
}  // namespace pulsewire::hub
