#include "server/storage/row.hpp"

#include "common/exchange/message_text.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace pulsewire::shell::row {
namespace {

hub::keep_publication publication() {
    hub::publish p;
    p.channel = "chat:42";
    p.type = "note";
    p.payload = R"({"a":1})";
    p.except = "somebody";
    return {hub::make_message(p, 7, 1'764'000'000'000), "epoch", "key"};
}

TEST(row, keys_sort_by_channel_and_then_by_offset) {
    const std::vector<std::string> sorted = {publication_key("a", 1),   publication_key("a", 2),
                                             publication_key("a", 256), publication_key("a", 1 << 30),
                                             publication_key("a.b", 1), publication_key("ab", 1)};
    EXPECT_TRUE(std::is_sorted(sorted.begin(), sorted.end()));
}

TEST(row, the_keys_of_publishes_sort_by_time) {
    EXPECT_LT(key_key(255, "b", 9), key_key(256, "a", 1));
}

TEST(row, a_key_says_what_it_was_made_of) {
    const std::string of_channel = channel_key("chat:42");
    EXPECT_EQ(channel_of(of_channel), "chat:42");
    const std::string key = publication_key("chat:42", 0x0102030405060708);
    const auto place = place_of(key);
    ASSERT_TRUE(place);
    EXPECT_EQ(place->channel, "chat:42");
    EXPECT_EQ(place->offset, 0x0102030405060708u);
}

TEST(row, a_key_of_another_kind_says_nothing) {
    EXPECT_FALSE(channel_of(publication_key("a", 1)));
    EXPECT_FALSE(channel_of("c"));
    EXPECT_FALSE(place_of(channel_key("a-long-enough-name")));
    EXPECT_FALSE(place_of("p"));
    EXPECT_FALSE(place_of(key_key(1, "a", 1)));
}

TEST(row, values_come_back_as_they_were) {
    const auto made = publication();
    const std::string key = publication_key("chat:42", 7);
    const auto back = read_publication(key, value(key, made));
    ASSERT_TRUE(back);
    EXPECT_EQ(back->epoch, "epoch");
    EXPECT_EQ(back->key, "key");
    EXPECT_EQ(back->what->line, made.what->line);
    EXPECT_EQ(back->what->except(), "somebody");

    const auto channel = read_channel("k", value("k", hub::keep_channel{"chat:42", "epoch", 9}));
    ASSERT_TRUE(channel);
    EXPECT_EQ(channel->channel, "chat:42");
    EXPECT_EQ(channel->epoch, "epoch");
    EXPECT_EQ(channel->head, 9u);

    const auto remembered = read_key("k", key_value("k", made));
    ASSERT_TRUE(remembered);
    EXPECT_EQ(remembered->key, "key");
    EXPECT_EQ(remembered->offset, 7u);
    EXPECT_EQ(remembered->time_ms, 1'764'000'000'000);

    EXPECT_EQ(read_number("g", value("g", 12)), 12u);
}

TEST(row, a_publication_keeps_the_key_that_newer_ones_replace_it_by) {  // protocol 4.17
    hub::publish p;
    p.channel = "ticker:1";
    p.type = "price";
    p.payload = "7";
    p.conflate = "EURUSD";
    const hub::keep_publication made{hub::make_message(p, 7, 1'764'000'000'000), "epoch", "", 0};
    const auto back = read_publication("k", value("k", made));
    ASSERT_TRUE(back);
    EXPECT_EQ(back->what->conflate(), "EURUSD");
    EXPECT_EQ(back->what->line, made.what->line);
}

TEST(row, a_snapshot_keeps_what_it_covers) {  // protocol 4.29
    for (const bool binary : {false, true}) {
        hub::publish p;
        p.channel = "board:1";
        p.type = "state";
        p.payload = "7";
        p.binary = binary;
        p.snapshot = {6, 2, 3, "offer"};
        const hub::keep_publication made{hub::make_message(p, 7, 1'764'000'000'000), "epoch", "", 0};
        const auto back = read_publication("k", value("k", made));
        ASSERT_TRUE(back);
        EXPECT_TRUE(back->what->is_snapshot);
        EXPECT_EQ(back->what->line, made.what->line);
        EXPECT_EQ(hub::snapshot_of(*back->what).id, "offer");
    }
}

TEST(row, the_key_of_a_publish_keeps_what_it_stands_for) {  // protocol 4.9
    hub::keep_publication made = publication();
    made.content = 0x0102030405060708;
    const std::string row = key_value("k", made);
    EXPECT_EQ(read_key("k", row)->content, 0x0102030405060708u);
}

TEST(row, a_row_in_another_place_is_damaged) {
    const std::string key = publication_key("chat:42", 7);
    EXPECT_FALSE(read_publication(publication_key("chat:42", 8), value(key, publication())));
    EXPECT_FALSE(read_number("i", value("g", 12)));
}

TEST(row, every_flipped_bit_and_every_cut_is_found) {
    const std::string key = publication_key("chat:42", 7);
    const std::string whole = value(key, publication());
    for (std::size_t i = 0; i < whole.size(); ++i) {
        for (int bit = 0; bit < 8; ++bit) {
            std::string flipped = whole;
            flipped[i] = static_cast<char>(flipped[i] ^ (1 << bit));
            EXPECT_FALSE(read_publication(key, flipped)) << i << " " << bit;
        }
        EXPECT_FALSE(read_publication(key, whole.substr(0, i))) << i;
    }
    EXPECT_FALSE(read_publication(key, whole + "x"));
}

// The checksum is right, and still it is no row of this kind.
TEST(row, a_row_of_another_kind_is_not_read) {
    EXPECT_FALSE(read_publication("k", value("k", 12)));
    EXPECT_FALSE(read_channel("k", value("k", publication())));
    EXPECT_FALSE(read_number("k", value("k", hub::keep_channel{"a", "b", 1})));
}

}  // namespace
}  // namespace pulsewire::shell::row
