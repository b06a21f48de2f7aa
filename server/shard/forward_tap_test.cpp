#include "server/shard/forward_tap.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace pulsewire::shell {
namespace {

using news = std::vector<hub::channel_news>;

class a_forward_tap : public ::testing::Test {
protected:
    a_forward_tap() {
        tap.use({[this](news&& batch) { batches.push_back(std::move(batch)); }, {}});
    }
    void note(const std::string& channel, std::uint64_t offset, std::int64_t log_ms = 0) {
        news fresh = {{channel, offset, offset, log_ms, false}};
        tap.note(fresh);
    }

    forward_tap tap;
    std::vector<news> batches;
};

TEST_F(a_forward_tap, gives_one_batch_at_a_time_with_each_channel_once) {
    note("a", 1, 10);
    ASSERT_EQ(batches.size(), 1u);
    note("a", 2, 20);
    note("b", 1, 21);
    note("a", 3, 30);
    EXPECT_EQ(batches.size(), 1u) << "the first was not taken";
    tap.taken();
    ASSERT_EQ(batches.size(), 2u);
    ASSERT_EQ(batches[1].size(), 2u);
    EXPECT_EQ(batches[1][0].channel, "a");
    EXPECT_EQ(batches[1][0].first, 2u);
    EXPECT_EQ(batches[1][0].head, 3u);
    EXPECT_EQ(batches[1][0].log_ms, 20) << "of the oldest that was not told";
    EXPECT_EQ(batches[1][1].channel, "b");
    tap.taken();
    EXPECT_EQ(batches.size(), 2u);
    note("a", 4);
    EXPECT_EQ(batches.size(), 3u);
}

TEST(forward_tap_without_a_reader, keeps_nothing) {
    forward_tap tap;
    news fresh = {{"a", 1, 1, 0, false}};
    tap.note(fresh);
    EXPECT_TRUE(fresh.empty());
    tap.taken();
}

}  // namespace
}  // namespace pulsewire::shell
