#include "common/cluster/sim/cluster_sim.hpp"

#include <gtest/gtest.h>

namespace pulsewire::cluster::sim {
namespace {

// Here for the sanitizers and for WebAssembly; script/simulate --cluster runs many more.
constexpr std::uint64_t seeds = 150;

TEST(cluster_simulation, whatever_goes_wrong_all_nodes_come_to_the_same_end) {
    tally all;
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
        cluster_sim s(seed);
        ASSERT_EQ(s.run(), "") << "seed " << seed;
        all.add(s.what_happened());
    }
    RecordProperty("what_happened", all.text());
    // The runs reach what they are for.
    for (const std::uint64_t often :
         {all.acknowledged, all.repeated, all.unavailable, all.kills, all.pauses, all.cuts, all.failovers,
          all.splits, all.lost_records, all.renewals, all.told, all.restated, all.ended, all.checkpoints,
          all.copies_lost, all.forgotten, all.spoilt, all.differed})
        EXPECT_GT(often, 0u) << all.text();
}

TEST(cluster_simulation, a_seed_takes_the_same_course_each_time) {
    cluster_sim first(7), second(7);
    EXPECT_EQ(first.run(), second.run());
    EXPECT_EQ(first.what_happened().text(), second.what_happened().text());
}

}  // namespace
}  // namespace pulsewire::cluster::sim
