#include "server/identity/fetch_schedule.hpp"

#include <gtest/gtest.h>

namespace pulsewire::identity {
namespace {

using namespace std::chrono_literals;

constexpr fetch_schedule::time_point start{1'000h};

TEST(fetch_schedule, begins_at_once_and_asks_again_from_time_to_time) {
    fetch_schedule s;
    EXPECT_FALSE(s.due());
    s.begin(start);
    s.succeeded(start + 1s);
    EXPECT_EQ(s.due(), start + 1s + 10min);
}

TEST(fetch_schedule, asks_because_of_tokens_at_most_every_thirty_seconds) {
    fetch_schedule s;
    s.begin(start);
    EXPECT_TRUE(s.want(start + 1s)) << "an attempt is under way";
    s.succeeded(start + 2s);
    EXPECT_FALSE(s.want(start + 29s));
    EXPECT_EQ(s.due(), start + 2s + 10min);
    EXPECT_TRUE(s.want(start + 30s));
    EXPECT_FALSE(s.due());
    EXPECT_TRUE(s.want(start + 31s)) << "it is about to begin";
}

TEST(fetch_schedule, tries_again_thirty_seconds_after_a_failure) {
    fetch_schedule s;
    s.begin(start);
    s.failed(start + 5s);
    EXPECT_EQ(s.due(), start + 35s);
    EXPECT_FALSE(s.want(start + 6s));
}

TEST(fetch_schedule, keeps_keys_for_a_day_while_the_issuer_is_down) {
    fetch_schedule s;
    s.begin(start);
    s.succeeded(start);
    s.begin(start + 10min);
    s.failed(start + 10min);
    EXPECT_FALSE(s.take_expired(start + 24h - 1s));
    EXPECT_TRUE(s.take_expired(start + 24h));
    EXPECT_FALSE(s.take_expired(start + 25h)) << "they are gone already";
}

}  // namespace
}  // namespace pulsewire::identity
