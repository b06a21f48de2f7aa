#pragma once

// A Redis Cluster for the length of a test.

#include "server/testing/redis_process.hpp"

#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace pulsewire::testing {

// Servers 0, 1 and 2 are masters, and 3 is the replica of 0, which has the log of partition 0 by the usual
// prefix.
class redis_cluster {
public:
    redis_cluster() {
        for (int i = 0; i < 4; ++i) {
            const auto bus = testing::free_port();
            servers_.push_back(std::make_unique<redis_process>(std::vector<std::string>{
                "--cluster-enabled", "yes", "--cluster-node-timeout", "1000",
                "--cluster-require-full-coverage", "no", "--cluster-port", std::to_string(bus)}));
            if (i > 0)
                server(0
                )({"CLUSTER", "MEET", "127.0.0.1", std::to_string(server(i).port()), std::to_string(bus)});
        }
        const int slot = std::stoi(server(0)({"CLUSTER", "KEYSLOT", "pulsewire:{0}"}));
        // The first third begins with that slot, and the numbers go round.
        for (int i = 0; i < 3; ++i) {
            std::vector<std::string> words = {"CLUSTER", "ADDSLOTS"};
            for (int s = i * 16'384 / 3; s < (i + 1) * 16'384 / 3; ++s)
                words.push_back(std::to_string((slot + s) % 16'384));
            server(i)(words);
        }
        const std::string master = server(0)({"CLUSTER", "MYID"});
        const auto knows_all = [this](int i) {
            return info(i, "cluster_known_nodes:4") && info(i, "cluster_state:ok");
        };
        for (int i = 0; i < 4; ++i) wait([&] { return knows_all(i); });
        wait([&] { return server(3)({"CLUSTER", "REPLICATE", master}) == "OK"; });
        wait([&] { return server(3).info("master_link_status") == "up" && info(0, "cluster_state:ok"); });
        // Only who is known as a replica by the others gets their votes.
        for (int i = 0; i < 3; ++i)
            wait([&] {
                return server(i)({"CLUSTER", "REPLICAS", master}).find("slave") != std::string::npos;
            });
    }
    redis_process& server(int index) { return *servers_[static_cast<std::size_t>(index)]; }
    // Names two of the servers.
    std::string url() { return "redis-cluster://" + server(1).at() + "," + server(2).at(); }

private:
    bool info(int index, const std::string& line) {
        return server(index)({"CLUSTER", "INFO"}).find(line + "\r\n") != std::string::npos;
    }
    static void wait(const std::function<bool()>& question) {
        if (!eventually(question)) throw std::runtime_error("the cluster does not come together");
    }
    std::vector<std::unique_ptr<redis_process>> servers_;
};

}  // namespace pulsewire::testing
