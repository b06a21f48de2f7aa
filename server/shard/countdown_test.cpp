#include "server/shard/countdown.hpp"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace pulsewire::shell {
namespace {

TEST(countdown, the_last_one_calls_once_whoever_that_is) {
    for (int round = 0; round < 100; ++round) {
        int calls = 0;
        countdown all;
        all.begin(4, [&] { ++calls; });
        std::vector<std::thread> threads;
        for (int i = 0; i < 4; ++i) threads.emplace_back([&] { all.arrive(); });
        for (std::thread& t : threads) t.join();
        EXPECT_EQ(calls, 1);
    }
}

TEST(countdown, before_the_last_one_nothing_is_called) {
    int calls = 0;
    countdown all;
    all.begin(2, [&] { ++calls; });
    all.arrive();
    EXPECT_EQ(calls, 0);
    all.arrive();
    EXPECT_EQ(calls, 1);
}

TEST(countdown, it_can_begin_again) {
    int calls = 0;
    countdown all;
    for (int i = 0; i < 2; ++i) {
        all.begin(1, [&] { ++calls; });
        all.arrive();
    }
    EXPECT_EQ(calls, 2);
}

}  // namespace
}  // namespace pulsewire::shell
