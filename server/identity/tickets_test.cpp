#include "server/identity/tickets.hpp"

#include <gtest/gtest.h>

#include <string>

namespace pulsewire::identity {
namespace {

TEST(tickets, open_once) {
    tickets all;
    EXPECT_EQ(all.add("name", "ann", "a.b.c", 0), std::nullopt);
    EXPECT_EQ(all.take("nam", 1), std::nullopt);
    EXPECT_EQ(all.take("name", 1), "a.b.c");
    EXPECT_EQ(all.take("name", 1), std::nullopt);
}

TEST(tickets, open_for_thirty_seconds) {
    tickets all;
    all.add("first", "ann", "a.b.c", 0);
    all.add("second", "ann", "d.e.f", 20'000);
    EXPECT_EQ(all.take("first", 30'000), std::nullopt);
    EXPECT_EQ(all.take("second", 49'999), "d.e.f");
}

TEST(tickets, of_one_user_leave_room_for_others) {
    tickets all;
    for (std::size_t i = 0; i < tickets::most_of_user; ++i)
        EXPECT_EQ(all.add("ann" + std::to_string(i), "ann", "a.b.c", 0), std::nullopt);
    EXPECT_EQ(all.add("one more", "ann", "a.b.c", 0), tickets::refused::too_many_of_user);
    EXPECT_EQ(all.add("of another", "bob", "a.b.c", 0), std::nullopt);
    all.take("ann0", 0);
    EXPECT_EQ(all.add("one more", "ann", "a.b.c", 0), std::nullopt) << "one was used";
    EXPECT_EQ(all.add("later", "ann", "a.b.c", 30'000), std::nullopt) << "all have ended";
}

TEST(tickets, of_all_users_are_bounded) {
    tickets all;
    for (std::size_t i = 0; i < tickets::most; ++i)
        ASSERT_EQ(all.add(std::to_string(i), "user" + std::to_string(i), "a.b.c", 0), std::nullopt);
    EXPECT_EQ(all.add("one more", "ann", "a.b.c", 0), tickets::refused::too_many);
    EXPECT_EQ(all.add("one more", "ann", "a.b.c", 30'000), std::nullopt);
}

}  // namespace
}  // namespace pulsewire::identity
