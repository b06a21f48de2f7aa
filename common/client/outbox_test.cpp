#include "common/client/outbox.hpp"

#include "common/base/random.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <map>

namespace pulsewire::client {
namespace {

TEST(outbox, counts_what_waits) {
    outbox box;
    box.add(3, 10);
    box.add(5, 20);
    EXPECT_EQ(box.waiting(), 2u);
    EXPECT_EQ(box.bytes(), 30u);
    box.release(*box.with_id(3));
    EXPECT_EQ(box.waiting(), 1u);
    EXPECT_EQ(box.bytes(), 20u);
    box.sweep();
    box.release(*box.with_id(5));
    box.sweep();
    EXPECT_EQ(box.waiting() + box.bytes(), 0u);
    EXPECT_EQ(box.begin(), box.end());
}

TEST(outbox, finds_what_waits_and_nothing_else) {
    outbox box;
    for (const std::uint32_t id : {3u, 5u, 9u}) box.add(id, 0);
    for (std::uint64_t id = 0; id < 12; ++id) {
        const command* c = box.with_id(id);
        EXPECT_EQ(c != nullptr, id == 3 || id == 5 || id == 9) << id;
        EXPECT_TRUE(c == nullptr || c->id == id);
    }
    EXPECT_EQ(box.with_id((std::uint64_t{1} << 32) + 5), nullptr);
    box.release(*box.with_id(5));
    EXPECT_EQ(box.with_id(5), nullptr);
    box.sweep();
    EXPECT_NE(box.with_id(9), nullptr);
}

TEST(outbox, can_be_walked_while_commands_end) {
    outbox box;
    for (std::uint32_t id = 1; id <= 10; ++id) box.add(id, 1);
    for (command& c : box)
        if (c.id % 2 == 0) box.release(c);
    box.sweep();
    std::uint32_t expected = 1;
    for (const command& c : box) {
        if (c.done) continue;
        EXPECT_EQ(c.id, expected);
        expected += 2;
    }
    EXPECT_EQ(box.waiting(), 5u);
}

TEST(outbox, keeps_its_size_when_the_oldest_is_never_answered) {
    outbox box;
    box.add(1, 1);
    for (std::uint32_t id = 2; id < 10'000; ++id) {
        box.add(id, 1);
        box.release(*box.with_id(id));
        box.sweep();
        ASSERT_LE(box.end() - box.begin(), 200) << "ended commands must not pile up behind it";
    }
    EXPECT_NE(box.with_id(1), nullptr);
}

TEST(outbox, stays_right_under_random_use) {
    outbox box;
    std::map<std::uint32_t, std::uint32_t> expected;
    std::uint64_t random = 5;
    for (std::uint32_t id = 1; id < 5'000; ++id) {
        const auto bytes = static_cast<std::uint32_t>(next_random(random, 100));
        box.add(id, bytes);
        expected[id] = bytes;
        while (expected.size() > next_random(random, 300)) {
            auto gone = expected.lower_bound(static_cast<std::uint32_t>(next_random(random, id)));
            if (gone == expected.end()) gone = expected.begin();
            ASSERT_NE(box.with_id(gone->first), nullptr);
            box.release(*box.with_id(gone->first));
            box.sweep();
            expected.erase(gone);
        }
        ASSERT_EQ(box.waiting(), expected.size());
        std::uint32_t sum = 0;
        auto next = expected.begin();
        for (const command& c : box) {
            if (c.done) continue;
            ASSERT_EQ(c.id, next->first) << "in order";
            sum += next++->second;
        }
        ASSERT_EQ(next, expected.end());
        ASSERT_EQ(box.bytes(), sum);
    }
}

}  // namespace
}  // namespace pulsewire::client
