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
    snapshots s;
    s.add(10, part(9, "a", 1, 2));
    s.add(11, part(8, "a", 2, 2));
    s.add(12, part(9, "b", 2, 2));
    s.add(13, part(9, "a", 2, 3));
    EXPECT_EQ(s.covers(), 0u);
    s.add(14, part(9, "a", 2, 2));
    EXPECT_EQ(s.parts(), (offsets{10, 14}));
    // The others can never be whole any more.
    s.add(15, part(8, "a", 1, 2));
    s.add(16, part(9, "b", 1, 2));
    EXPECT_EQ(s.parts(), (offsets{10, 14}));
}

TEST(snapshots, the_first_begun_of_five_is_forgotten) {
    snapshots s;
    for (const char* id : {"a", "b", "c", "d", "e"}) s.add(10, part(9, id, 1, 2));
    s.add(11, part(9, "a", 2, 2));
    EXPECT_EQ(s.covers(), 0u) << "its first part is forgotten, and its second begins another one";
    s.add(12, part(9, "e", 2, 2));
    EXPECT_EQ(s.parts(), (offsets{10, 12}));
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
