#include "server/streams/words.hpp"

#include <gtest/gtest.h>

#include <string>

namespace pulsewire::shell::streams {
namespace {

TEST(stream_places, are_in_order_as_texts) {
    const place one{1'764'547'200'000, 9}, two{1'764'547'200'000, 10}, later{1'764'547'200'001, 1};
    EXPECT_EQ(text_of(one), "019ad7358400_0000000000000009");
    EXPECT_LT(text_of(one), text_of(two));
    EXPECT_LT(text_of(two), text_of(later));
    EXPECT_EQ(read_place(text_of(two)), two);
}

TEST(stream_places, are_read_strictly) {
    for (const std::string bad :
         {"", "0", "a", "019ad7358400", "019ad7358400_1", "019AD7358400_0000000000000009",
          "019ad7358400-0000000000000009", "019ad7358400_000000000000000x", "019ad7358400_00000000000000099"})
        EXPECT_FALSE(read_start(bad)) << bad;
    EXPECT_EQ(read_start("-1")->from, start::kind::beginning);
    EXPECT_EQ(read_start("now")->from, start::kind::now);
}

TEST(stream_times, are_rfc_3339) {
    EXPECT_EQ(read_time("1970-01-01T00:00:01Z"), 1'000);
    EXPECT_EQ(read_time("2027-01-31T12:00:00.5Z"), 1'801'396'800'500);
    EXPECT_EQ(read_time("2027-01-31t14:30:00.1239+02:30"), 1'801'396'800'123);
    for (const std::string bad :
         {"", "tomorrow", "2027-01-31", "2027-02-30T12:00:00Z", "2027-01-31T24:00:00Z", "2027-01-31T12:00:00",
          "2027-01-31T12:00:00.Z", "2027-01-31T12:00:00Zx", "2027-01-31T12:00:00+2:30", "27-01-31T12:00:00Z"})
        EXPECT_FALSE(read_time(bad)) << bad;
}

TEST(stream_counts, have_one_form) {
    EXPECT_EQ(read_count("0"), 0u);
    EXPECT_EQ(read_count("3600"), 3'600u);
    EXPECT_EQ(read_count("9007199254740991"), 9'007'199'254'740'991u);
    for (const std::string bad : {"", "00", "060", "+1", "-1", "1.0", "1e3", "0x1", " 1", "9007199254740992"})
        EXPECT_FALSE(read_count(bad)) << bad;
}

TEST(stream_types, are_checked_before_they_are_given_back) {
    for (const std::string good : {"text/plain", "application/json; charset=utf-8", "image/svg+xml"})
        EXPECT_TRUE(is_content_type(good)) << good;
    for (const std::string bad :
         {"", "text", "/plain", "text/", "a/b/c", "text/plain\r\nX: y", "te xt/plain", "text/pl\xc3\xa4in"})
        EXPECT_FALSE(is_content_type(bad)) << bad;
    EXPECT_FALSE(is_content_type("text/" + std::string(300, 'a')));
}

TEST(stream_cursors, go_on_from_what_was_shown) {
    EXPECT_EQ(cursor_after("", 200'000, 7), "10");
    EXPECT_EQ(cursor_after("9", 200'000, 7), "10");
    EXPECT_EQ(cursor_after("nonsense", 200'000, 7), "10");
    EXPECT_EQ(cursor_after("10", 200'000, 7), "18");
    EXPECT_EQ(cursor_after("9007199254740991", 200'000, 7), "9007199254740991");
}

}  // namespace
}  // namespace pulsewire::shell::streams
