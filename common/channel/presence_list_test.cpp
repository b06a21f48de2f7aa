#include "common/channel/presence_list.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace pulsewire::hub {
namespace {

std::string json_of(const presence_list& list) {
    return list.page_after({}, 1'000).json();
}

using names = std::vector<std::string>;

constexpr std::size_t many = 1'000;

TEST(presence_list, lists_each_session_once_by_name) {  // protocol 4.6, 4.7
    presence_list list;
    EXPECT_EQ(json_of(list), "[]");
    EXPECT_TRUE(list.join("bob-session", 1, shown{"2"}, many));
    EXPECT_TRUE(list.join("ada-session", 1, shown{R"({"n":1})"}, many));
    EXPECT_FALSE(list.join("bob-session", 2, shown{"2"}, many)) << "its second connection is no news";
    EXPECT_EQ(
        json_of(list), R"([{"session":"ada-session","info":{"n":1}},{"session":"bob-session","info":2}])"
    );
}

TEST(presence_list, tells_a_new_info) {
    presence_list list;
    list.join("ada-session", 1, shown{"1"}, many);
    EXPECT_TRUE(list.join("ada-session", 2, shown{"2"}, many));
    EXPECT_EQ(json_of(list), R"([{"session":"ada-session","info":2}])");
}

TEST(presence_list, a_session_leaves_when_its_last_connection_was_gone_long_enough) {  // protocol 4.7
    presence_list list;
    list.join("ada-session", 1, shown{"1"}, many);
    list.join("ada-session", 2, shown{"1"}, many);
    list.part("ada-session", 1, 100);
    EXPECT_FALSE(list.leaving());
    EXPECT_TRUE(list.take_left(1'000).empty());
    list.part("ada-session", 2, 200);
    EXPECT_TRUE(list.leaving());
    EXPECT_FALSE(list.empty());
    EXPECT_TRUE(list.take_left(199).empty());
    EXPECT_EQ(list.take_left(200), names{"ada-session"});
    EXPECT_FALSE(list.leaving());
    EXPECT_TRUE(list.empty());
}

TEST(presence_list, coming_back_in_time_is_no_news) {  // protocol 4.7: a page is reloaded
    presence_list list;
    list.join("ada-session", 1, shown{"1"}, many);
    list.part("ada-session", 1, 100);
    EXPECT_FALSE(list.join("ada-session", 1, shown{"1"}, many));
    EXPECT_FALSE(list.leaving());
    EXPECT_TRUE(list.take_left(1'000).empty());
    list.part("ada-session", 1, 1'100);
    EXPECT_TRUE(list.take_left(1'099).empty()) << "the time to leave counts anew";
    EXPECT_EQ(list.take_left(1'100), names{"ada-session"});
    EXPECT_TRUE(list.join("ada-session", 1, shown{"1"}, many)) << "after the leave it is news again";
}

TEST(presence_list, several_leave_at_their_own_times) {
    presence_list list;
    for (const char* session : {"c-session", "a-session", "b-session"})
        list.join(session, 1, shown{"1"}, many);
    list.part("c-session", 1, 10);
    list.part("a-session", 1, 10);
    list.part("b-session", 1, 20);
    EXPECT_EQ(list.take_left(10), (names{"a-session", "c-session"}));
    EXPECT_TRUE(list.leaving());
    EXPECT_EQ(list.take_left(20), names{"b-session"});
}

TEST(presence_list, parting_without_having_come_changes_nothing) {
    presence_list list;
    list.part("ada-session", 1, 1);
    EXPECT_FALSE(list.leaving());
    list.join("ada-session", 1, shown{"1"}, many);
    list.part("ada-session", 1, 1);
    list.part("ada-session", 1, 500);
    EXPECT_EQ(list.take_left(1), names{"ada-session"});
}

TEST(presence_list, has_room_for_so_many_and_no_more) {
    presence_list list;
    EXPECT_TRUE(list.join("a-session", 1, shown{"1"}, 2));
    EXPECT_TRUE(list.join("b-session", 1, shown{"1"}, 2));
    EXPECT_FALSE(list.join("c-session", 1, shown{"1"}, 2));
    EXPECT_TRUE(list.join("a-session", 4, shown{"2"}, 2)) << "who is listed may change";
    EXPECT_EQ(json_of(list), R"([{"session":"a-session","info":2},{"session":"b-session","info":1}])");
    list.part("b-session", 1, 1);
    EXPECT_FALSE(list.join("c-session", 1, shown{"1"}, 2)) << "who is about to leave still has its place";
    list.take_left(1);
    EXPECT_TRUE(list.join("c-session", 1, shown{"1"}, 2));
}

TEST(presence_list, a_connection_that_found_no_room_takes_no_other_with_it_when_it_goes) {
    presence_list list;
    list.join("a-session", 1, shown{"1"}, 1);
    EXPECT_FALSE(list.join("b-session", 2, shown{"1"}, 1));
    list.part("a-session", 1, 10);
    list.take_left(10);
    EXPECT_TRUE(list.join("b-session", 3, shown{"1"}, 1));
    list.part("b-session", 2, 20);
    EXPECT_FALSE(list.leaving()) << "connection 3 is still here";
    list.part("b-session", 3, 30);
    EXPECT_TRUE(list.leaving());
}

// One address must not keep others off the list.
constexpr std::uint64_t crowd = 7, visitor = 8, shared = 0;

TEST(presence_list, the_source_with_the_most_members_makes_room_with_its_newest) {
    presence_list list;
    for (const char* session : {"z", "a", "m"}) list.join(session, 1, shown{"1"}, 3, crowd);
    EXPECT_TRUE(list.is_full_for("v", 3));
    EXPECT_FALSE(list.is_full_for("a", 3)) << "who is listed needs no room";
    EXPECT_EQ(list.make_room(visitor), "m");
    EXPECT_TRUE(list.join("v", 2, shown{"1"}, 3, visitor));
    EXPECT_EQ(list.connection_of("m"), 0u);
    EXPECT_EQ(list.connection_of("v"), 2u);
}

TEST(presence_list, nobody_makes_room_for_a_source_that_would_then_have_as_many) {
    presence_list list;
    for (const char* session : {"a", "b"}) list.join(session, 1, shown{"1"}, 3, crowd);
    list.join("v", 2, shown{"1"}, 3, visitor);
    EXPECT_EQ(list.make_room(crowd), "");
    EXPECT_EQ(list.make_room(visitor), "") << "two would have changed places";
    EXPECT_EQ(list.make_room(9), "b");
}

TEST(presence_list, whose_source_is_not_known_neither_makes_room_nor_gets_it) {
    presence_list list;
    for (const char* session : {"a", "b", "c"}) list.join(session, 1, shown{"1"}, 3, shared);
    EXPECT_EQ(list.make_room(visitor), "");
    for (const char* session : {"d", "e", "f"}) list.join(session, 1, shown{"1"}, 6, crowd);
    EXPECT_EQ(list.make_room(shared), "");
    EXPECT_EQ(list.make_room(visitor), "f");
}

TEST(presence_list, who_made_room_while_leaving_is_not_waited_for) {
    presence_list list;
    for (const char* session : {"a", "b"}) list.join(session, 1, shown{"1"}, 2, crowd);
    list.part("b", 1, 10);
    EXPECT_EQ(list.make_room(visitor), "b");
    EXPECT_FALSE(list.leaving());
    EXPECT_EQ(list.take_left(10), names{});
}

}  // namespace
}  // namespace pulsewire::hub
