#include "common/channel/idempotency_window.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace pulsewire::hub {
namespace {

constexpr hash_key secret{1, 2};

// The offset that a key got; 0 when it is not known.
std::uint64_t offset_of(
    idempotency_window& window, std::string_view channel, std::string_view epoch, std::string_view key,
    std::int64_t now_ms
) {
    const auto known = window.find(channel, epoch, key, now_ms);
    return known ? known->offset : 0;
}

TEST(idempotency, remembers_the_first_offset_of_a_key) {  // protocol 4.9
    idempotency_window window(1'000, 100, secret);
    EXPECT_EQ(offset_of(window, "a", "e", "k", 0), 0u);
    window.remember("a", "e", "k", {7, 1}, 0, 0);
    EXPECT_EQ(offset_of(window, "a", "e", "k", 5), 7u);
    window.remember("a", "e", "k", {8, 1}, 0, 6);
    EXPECT_EQ(offset_of(window, "a", "e", "k", 7), 7u);
    EXPECT_EQ(window.size(), 1u);
}

TEST(idempotency, tells_channels_epochs_and_keys_apart) {
    idempotency_window window(1'000, 100, secret);
    window.remember("a", "e", "k", {7, 1}, 0, 0);
    EXPECT_EQ(offset_of(window, "b", "e", "k", 0), 0u);
    EXPECT_EQ(offset_of(window, "a", "f", "k", 0), 0u);
    EXPECT_EQ(offset_of(window, "a", "e", "l", 0), 0u);
    window.remember("ab", "c", "d", {1, 1}, 0, 0);
    EXPECT_EQ(offset_of(window, "a", "bc", "d", 0), 0u);
    EXPECT_EQ(offset_of(window, "ab", "cd", "", 0), 0u);
}

TEST(idempotency, forgets_after_its_window) {
    idempotency_window window(1'000, 100, secret);
    window.remember("a", "e", "k", {7, 1}, 0, 50);
    window.remember("a", "e", "l", {8, 1}, 0, 60);
    EXPECT_EQ(offset_of(window, "a", "e", "k", 1'050), 7u);
    EXPECT_EQ(offset_of(window, "a", "e", "k", 1'051), 0u);
    EXPECT_EQ(window.size(), 1u);
    window.remember("a", "e", "k", {9, 1}, 0, 1'052);
    EXPECT_EQ(offset_of(window, "a", "e", "k", 2'052), 9u) << "its age counts from the second time";
    window.trim(1'000'000);
    EXPECT_EQ(window.size(), 0u);
}

TEST(idempotency, forgets_the_oldest_when_there_are_too_many) {
    idempotency_window window(1'000'000, 3, secret);
    for (int i = 1; i <= 5; ++i)
        window.remember("a", "e", "k" + std::to_string(i), {static_cast<std::uint64_t>(i), 1}, 0, i);
    EXPECT_EQ(window.size(), 3u);
    EXPECT_EQ(offset_of(window, "a", "e", "k2", 6), 0u);
    EXPECT_EQ(offset_of(window, "a", "e", "k3", 6), 3u);
    EXPECT_EQ(offset_of(window, "a", "e", "k5", 6), 5u);
}

TEST(idempotency, keeps_its_size_under_a_stream_of_keys) {
    idempotency_window window(10, 1'000, secret);
    for (int i = 0; i < 20'000; ++i) {
        window.remember("a", "e", std::to_string(i), {1, 1}, 0, i);
        ASSERT_LE(window.size(), 12u);
    }
}

TEST(idempotency, knows_what_was_published_with_a_key) {  // protocol 4.9
    idempotency_window window(1'000, 100, secret);
    window.remember("a", "e", "k", {7, 31}, 0, 0);
    EXPECT_TRUE(window.find("a", "e", "k", 0)->is(31));
    EXPECT_FALSE(window.find("a", "e", "k", 0)->is(32));
    window.remember("a", "e", "old", {8, 0}, 0, 0);
    EXPECT_TRUE(window.find("a", "e", "old", 0)->is(32)) << "a store of before did not know the content";
}

TEST(idempotency, a_publisher_of_many_keys_loses_its_own) {
    idempotency_window window(1'000'000, 1'000, secret);
    window.remember("a", "e", "hers", {1, 1}, 1, 0);
    for (int i = 0; i < 20'000; ++i) {
        window.remember("a", "e", std::to_string(i), {2, 1}, 2, i);
        ASSERT_LE(window.size(), 1'000u);
    }
    EXPECT_EQ(offset_of(window, "a", "e", "hers", 20'000), 1u);
    EXPECT_EQ(offset_of(window, "a", "e", "19999", 20'000), 2u);
    EXPECT_EQ(offset_of(window, "a", "e", "1", 20'000), 0u);
}

TEST(idempotency, many_publishers_of_many_keys_do_not_reach_the_keys_of_one_with_few) {
    idempotency_window window(1'000'000, 1'000, secret);
    for (int i = 0; i < 10; ++i) window.remember("a", "e", "hers" + std::to_string(i), {1, 1}, 1, 0);
    for (int i = 0; i < 20'000; ++i)
        window.remember("a", "e", std::to_string(i), {2, 1}, 2 + static_cast<std::uint64_t>(i) % 60, i);
    for (int i = 0; i < 10; ++i)
        EXPECT_EQ(offset_of(window, "a", "e", "hers" + std::to_string(i), 20'000), 1u);
}

TEST(idempotency, a_window_restored_from_another_behaves_the_same) {
    idempotency_window window(1'000, 64, secret);
    for (int i = 0; i < 64; ++i)
        window.remember(
            "a", "e", std::to_string(i), {static_cast<std::uint64_t>(i) + 1, 1}, i % 3 == 0 ? 1 : 2, i
        );
    idempotency_window copy(1'000, 64, secret);
    window.each([&](const fingerprint& id, const auto& what, std::uint64_t publisher, std::int64_t at_ms) {
        copy.restore(id, what, publisher, at_ms);
    });
    // One key more than there is room for: both forget the same.
    window.remember("a", "e", "more", {65, 1}, 3, 64);
    copy.remember("a", "e", "more", {65, 1}, 3, 64);
    EXPECT_EQ(copy.size(), window.size());
    EXPECT_LT(copy.size(), 65u);
    for (int i = 0; i < 64; ++i)
        EXPECT_EQ(
            offset_of(copy, "a", "e", std::to_string(i), 64),
            offset_of(window, "a", "e", std::to_string(i), 64)
        );
}

}  // namespace
}  // namespace pulsewire::hub
