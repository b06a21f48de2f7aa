#include "simulation/cluster.hpp"

#include "common/cluster/sim/cluster_sim.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace pulsewire::simulation {

int run_clusters(std::uint64_t from, std::uint64_t until, unsigned jobs) {
    const auto begin = std::chrono::steady_clock::now();
    std::atomic<std::uint64_t> next{from};
    // Seeds from here on need not run: one before has failed.
    std::atomic<std::uint64_t> enough{until};
    std::mutex lock;  // of the two below, which the threads add to when they end a seed
    cluster::sim::tally all;
    std::map<std::uint64_t, std::string> faults;
    const auto work = [&] {
        for (std::uint64_t seed = next++; seed < enough; seed = next++) {
            cluster::sim::cluster_sim s(seed);
            const std::string fault = s.run();
            const std::lock_guard guard(lock);
            all.add(s.what_happened());
            if (fault.empty()) continue;
            faults[seed] = fault;
            enough = std::min<std::uint64_t>(enough, seed);
        }
    };
    std::vector<std::thread> threads;
    for (unsigned j = 0; j < jobs; ++j) threads.emplace_back(work);
    for (std::thread& t : threads) t.join();
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    std::printf(
        "%llu seeds from %llu in %.1f s on %u cores: %.0f seeds/s\n%s\n",
        static_cast<unsigned long long>(all.seeds), static_cast<unsigned long long>(from), seconds, jobs,
        static_cast<double>(all.seeds) / seconds, all.text().c_str()
    );
    if (faults.empty()) return 0;
    const auto& [seed, fault] = *faults.begin();
    std::printf("seed %llu failed: %s\n", static_cast<unsigned long long>(seed), fault.c_str());
    std::printf(
        "  again: script/simulate --cluster --from %llu --seeds 1\n", static_cast<unsigned long long>(seed)
    );
    return 1;
}

}  // namespace pulsewire::simulation
