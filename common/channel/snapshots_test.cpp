#include "common/channel/snapshots.hpp"

#include "common/cluster/bytes.hpp"

#include <gtest/gtest.h>

namespace pulsewire::hub {
namespace {

using offsets = std::vector<std::uint64_t>;

snapshot_view part(std::uint64_t covers, std::string_view id, std::uint16_t n, std::uint16_t of) {
    return {covers, n, of, id};
}

snapshots copy_of(const snapshots& from) {
    std::string bytes;
    cluster::byte_writer w(bytes);
    from.write(w);
    cluster::byte_reader r(bytes);
    snapshots copy;
    copy.read(r);
    EXPECT_TRUE(r.ok() && r.at_end());
    return copy;
}

TEST(snapshots, the_newest_whole_one_that_covers_more_counts) {
    snapshots s;
    EXPECT_EQ(s.covers(), 0u);
    s.add(5, {3});
    EXPECT_EQ(s.covers(), 3u);
    EXPECT_EQ(s.parts(), offsets{5});
    // Those that were on their way to the disk together are not refused, and change nothing here.
    s.add(6, {3});
    s.add(7, {2});
    EXPECT_EQ(s.parts(), offsets{5});
    s.add(8, {7});
    EXPECT_EQ(s.parts(), offsets{8});
}

TEST(snapshots, none_covers_itself_or_what_comes_later) {
    snapshots s;
    s.add(5, {5});
    s.add(6, {9});
    EXPECT_EQ(s.covers(), 0u);
}

TEST(snapshots, parts_come_in_any_order_and_count_once_each) {
    snapshots s;
    s.add(10, part(9, "a", 3, 3));
    s.add(11, part(9, "a", 1, 3));
    s.add(12, part(9, "a", 1, 3));
    EXPECT_EQ(s.covers(), 0u);
    s.add(13, part(9, "a", 2, 3));
    EXPECT_EQ(s.covers(), 9u);
    EXPECT_EQ(s.parts(), (offsets{11, 13, 10}));
}

TEST(snapshots, parts_belong_together_by_their_id_their_number_and_what_they_cover) {
    const snapshot_view first = part(9, "a", 1, 2);
    for (const snapshot_view& other : {part(8, "a", 2, 2), part(9, "b", 2, 2), part(9, "a", 2, 3)}) {
        snapshots s;
        s.add(10, first);
        s.add(11, other);
        EXPECT_EQ(s.covers(), 0u);
        s.add(14, part(9, "a", 2, 2));
        EXPECT_EQ(s.parts(), (offsets{10, 14}));
        // The other one can never be whole any more.
        s.add(15, {other.covers, 1, other.parts, other.id});
        EXPECT_EQ(s.parts(), (offsets{10, 14}));
    }
}

TEST(snapshots, the_first_begun_of_three_is_forgotten) {
    snapshots s;
    EXPECT_EQ(s.add(10, part(9, "a", 1, 2)), offsets{});
    EXPECT_EQ(s.add(11, part(9, "b", 1, 2)), offsets{});
    EXPECT_EQ(s.add(12, part(9, "c", 1, 2)), offsets{10});
    EXPECT_EQ(s.add(13, part(9, "a", 2, 2)), offsets{11});
    EXPECT_EQ(s.covers(), 0u) << "its first part is forgotten, and its second begins another one";
    EXPECT_EQ(s.add(14, part(9, "c", 2, 2)), offsets{13});
    EXPECT_EQ(s.parts(), (offsets{12, 14}));
}

TEST(snapshots, of_three_that_are_not_whole_the_one_that_covers_least_is_forgotten) {
    snapshots s;
    EXPECT_EQ(s.add(10, part(8, "a", 1, 2)), offsets{});
    EXPECT_EQ(s.add(11, part(5, "old", 2, 2)), offsets{}) << "its first part went with a trim";
    EXPECT_EQ(s.add(12, part(9, "b", 1, 2)), offsets{11});
    EXPECT_EQ(s.add(13, part(5, "old", 2, 2)), offsets{13});
    EXPECT_EQ(s.add(14, part(8, "a", 2, 2)), offsets{});
    EXPECT_EQ(s.covers(), 8u);
}

TEST(snapshots, say_what_nobody_will_begin_with_any_more) {
    snapshots s;
    EXPECT_EQ(s.add(5, {3}), offsets{});
    EXPECT_EQ(s.add(6, {3}), offsets{6}) << "of no use from the beginning";
    EXPECT_EQ(s.add(7, part(4, "a", 1, 2)), offsets{});
    EXPECT_EQ(s.add(8, part(4, "a", 1, 2)), offsets{8}) << "there is one already";
    EXPECT_EQ(s.add(9, part(6, "b", 2, 2)), offsets{});
    EXPECT_EQ(s.add(10, part(4, "a", 2, 2)), offsets{5});
    EXPECT_TRUE(s.has(7) && s.has(10) && !s.has(5));
    EXPECT_EQ(s.add(11, {8}), (offsets{7, 10, 9}));
    EXPECT_EQ(s.parts(), offsets{11});
}

TEST(snapshots, a_copy_goes_on_as_its_source_does) {
    snapshots s;
    s.add(5, {3});
    s.add(10, part(9, "a", 1, 2));
    s.add(11, part(8, "b", 2, 2));
    snapshots copy = copy_of(s);
    EXPECT_EQ(copy.covers(), 3u);
    EXPECT_EQ(copy.parts(), offsets{5});
    for (snapshots* each : {&s, &copy}) {
        each->add(12, part(8, "b", 1, 2));
        EXPECT_EQ(each->parts(), (offsets{12, 11}));
        each->add(13, part(9, "a", 2, 2));
        EXPECT_EQ(each->parts(), (offsets{10, 13}));
    }
}

}  // namespace
}  // namespace pulsewire::hub
