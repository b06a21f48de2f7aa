#include "common/channel/channel_log.hpp"

#include "common/exchange/message_text.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace pulsewire::hub {
namespace {

using offsets = std::vector<std::uint64_t>;

offsets offsets_of(const std::vector<message_ptr>& messages) {
    offsets found;
    for (const message_ptr& m : messages) found.push_back(m->offset);
    return found;
}

message_ptr publication(std::uint64_t offset, std::size_t payload_bytes = 1) {
    publish p;
    p.channel = "a";
    p.type = "t";
    p.payload = std::string(payload_bytes, '1');
    return make_message(p, offset, 0);
}

channel_log filled(std::uint64_t count, const namespace_options& options) {
    channel_log log("x7Qa", options);
    for (std::uint64_t o = 1; o <= count; ++o) log.append(publication(o), static_cast<std::int64_t>(o));
    return log;
}

TEST(channel_log, begins_empty) {
    const channel_log log("x7Qa", {});
    EXPECT_EQ(log.epoch(), "x7Qa");
    EXPECT_EQ(log.head(), 0u);
    EXPECT_EQ(log.oldest(), 1u);
    EXPECT_TRUE(log.empty());
    EXPECT_TRUE(log.reaches_back_to(0));
    EXPECT_TRUE(
        log.after(0, 10).empty() && log.before(1, 10).empty() && log.before(0, 10).empty() &&
        log.latest(10).empty()
    );
}

TEST(channel_log, a_snapshot_of_nothing_goes_with_its_age) {  // protocol 4.29
    namespace_options options;
    options.state_bytes_max = 10'000;
    options.history_count_max = 0;
    options.history_age_ms = 1'000;
    const auto with_snapshot = [&](const char* payload, std::uint64_t covers) {
        channel_log log = filled(2, options);
        publish p;
        p.channel = "a";
        p.type = "t";
        p.payload = payload;
        p.snapshot.covers = covers;
        log.append(make_message(p, 3, 0), 3);
        log.trim(1'003);
        EXPECT_FALSE(log.empty()) << payload;
        log.trim(1'004);
        return log;
    };
    channel_log log = with_snapshot("null", 2);
    EXPECT_TRUE(log.empty());
    EXPECT_EQ(log.tail_bytes(), 0u);
    EXPECT_TRUE(log.snapshot_parts().empty());
    EXPECT_EQ(log.head(), 3u);
    // It goes on as any other.
    log.append(publication(4), 1'004);
    EXPECT_GT(log.tail_bytes(), 0u);
    EXPECT_EQ(offsets_of(log.after(0, 10)), (offsets{4}));
    log.trim(100'000);
    EXPECT_FALSE(log.empty());
    // A state stays, and what no snapshot covers.
    EXPECT_FALSE(with_snapshot("{}", 2).empty());
    EXPECT_FALSE(with_snapshot("null", 1).empty());
}

TEST(channel_log, gives_pages_forwards_and_backwards) {  // protocol 4.14
    const channel_log log = filled(5, {});
    EXPECT_EQ(log.head(), 5u);
    EXPECT_EQ(offsets_of(log.after(0, 10)), (offsets{1, 2, 3, 4, 5}));
    EXPECT_EQ(offsets_of(log.after(2, 2)), (offsets{3, 4}));
    EXPECT_EQ(offsets_of(log.after(4, 10)), (offsets{5}));
    EXPECT_EQ(offsets_of(log.after(5, 10)), offsets{});
    EXPECT_EQ(offsets_of(log.after(1'000'000, 10)), offsets{});
    EXPECT_EQ(offsets_of(log.before(6, 2)), (offsets{5, 4}));
    EXPECT_EQ(offsets_of(log.before(3, 10)), (offsets{2, 1}));
    EXPECT_EQ(offsets_of(log.before(1, 10)), offsets{});
    EXPECT_EQ(offsets_of(log.before(0, 10)), offsets{});
    EXPECT_EQ(offsets_of(log.before(1'000'000, 1)), (offsets{5}));
    EXPECT_EQ(offsets_of(log.latest(2)), (offsets{4, 5}));
    EXPECT_EQ(offsets_of(log.latest(0)), offsets{});
    EXPECT_EQ(offsets_of(log.latest(100)), (offsets{1, 2, 3, 4, 5}));
}

TEST(channel_log, keeps_the_newest_when_there_are_too_many) {
    namespace_options options;
    options.history_count_max = 3;
    const channel_log log = filled(5, options);
    EXPECT_EQ(log.head(), 5u);
    EXPECT_EQ(log.oldest(), 3u);
    EXPECT_EQ(offsets_of(log.after(0, 10)), (offsets{3, 4, 5}));
    EXPECT_FALSE(log.reaches_back_to(0));
    EXPECT_FALSE(log.reaches_back_to(1));
    EXPECT_TRUE(log.reaches_back_to(2)) << "3, 4 and 5 are all that came after 2";
    EXPECT_TRUE(log.reaches_back_to(5));
}

TEST(channel_log, keeps_the_newest_when_they_are_too_large) {
    namespace_options options;
    options.history_bytes_max = 3 * static_cast<std::uint32_t>(publication(1)->line.size());
    EXPECT_EQ(offsets_of(filled(5, options).after(0, 10)), (offsets{3, 4, 5}));
    channel_log log = filled(2, options);
    log.append(publication(3, 1'000'000), 3);
    EXPECT_TRUE(log.empty()) << "one that is too large by itself leaves nothing";
    EXPECT_EQ(log.oldest(), 4u);
    EXPECT_FALSE(log.reaches_back_to(2));
    log.append(publication(4), 4);
    EXPECT_EQ(offsets_of(log.after(0, 10)), (offsets{4}));
}

TEST(channel_log, forgets_what_is_too_old) {
    namespace_options options;
    options.history_age_ms = 10;
    channel_log log = filled(5, options);  // offset n came at n ms
    log.trim(11);
    EXPECT_EQ(log.oldest(), 1u);
    log.trim(12);
    EXPECT_EQ(log.oldest(), 2u);
    log.trim(1'000'000);
    EXPECT_TRUE(log.empty());
    EXPECT_EQ(log.head(), 5u) << "offsets go on";
    EXPECT_TRUE(log.reaches_back_to(5));
    EXPECT_FALSE(log.reaches_back_to(4));
}

TEST(channel_log, may_keep_nothing_at_all) {
    namespace_options options;
    options.history_count_max = 0;
    const channel_log log = filled(5, options);
    EXPECT_TRUE(log.empty());
    EXPECT_EQ(log.head(), 5u);
    EXPECT_TRUE(log.reaches_back_to(5));
    EXPECT_FALSE(log.reaches_back_to(4));
    EXPECT_TRUE(log.latest(3).empty());
}

// However many come and are dropped, it holds the newest in their order.
TEST(channel_log, holds_under_thousands_of_publications) {
    for (const std::uint32_t most : {1u, 2u, 15u, 17u, 300u}) {
        namespace_options options;
        options.history_count_max = most;
        channel_log log("epoch", options);
        for (std::uint64_t offset = 1; offset <= 2'000; ++offset) {
            log.append(publication(offset), 0);
            const std::uint64_t kept = std::min<std::uint64_t>(offset, most);
            ASSERT_EQ(log.head(), offset);
            ASSERT_EQ(log.oldest(), offset + 1 - kept);
            ASSERT_EQ(log.latest(1).at(0)->offset, offset);
            ASSERT_EQ(log.after(offset - kept, 1).at(0)->offset, log.oldest());
            ASSERT_EQ(log.before(offset + 1, most).size(), kept);
        }
        log.trim(options.history_age_ms + 1);
        EXPECT_TRUE(log.empty());
        EXPECT_EQ(log.oldest(), 2'001u);
        log.append(publication(2'001), 0);
        EXPECT_EQ(log.after(0, 9).size(), 1u);
    }
}

// Histories are made of them.
TEST(channel_log, a_publication_takes_the_room_of_its_line) {
    constexpr std::size_t allocation_step = 16;  // libc++ rounds up to it
    publish p;
    p.channel = "chat:1";
    p.type = "chat.message";
    p.payload = R"({"text":"hello"})";
    for (const std::uint64_t offset : {0u, 1u, 9u, 10u, 1'234'567u}) {
        const auto m = make_message(p, offset, 1'764'000'000'000);
        EXPECT_LT(m->line.capacity(), m->line.size() + allocation_step);
    }
    p.except = "Zk3f9aQx1mPw";
    p.conflate = "AAPL";
    const auto m = make_message(p, 99, 1'764'000'000'000);
    EXPECT_LT(m->line.capacity(), m->line.size() + allocation_step);
}

}  // namespace
}  // namespace pulsewire::hub
