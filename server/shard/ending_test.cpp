#include "server/shard/ending.hpp"

#include <gtest/gtest.h>

namespace pulsewire::shell {
namespace {

TEST(ending, the_first_cause_counts) {
    ending end;
    end.note(ended_by::server, 1008);
    end.note(ended_by::peer, 1000);
    EXPECT_EQ(end.who, ended_by::server);
    EXPECT_EQ(end.code, 1008);
}

}  // namespace
}  // namespace pulsewire::shell
