#pragma once

// What a topic must be like to carry logs, and what a new one is given.

#include "common/cluster/broker_port.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace pulsewire::shell::kafka {

// Records that leave together have at most so many bytes; a topic must take as much in one batch.
inline constexpr std::size_t batch_bytes_max = 1'000'000;
static_assert(batch_bytes_max > 2 * cluster::record_bytes_max);

struct topic_facts {
    std::uint32_t partitions = 0;
    std::uint32_t replicas = 0;                   // of the partition that has the fewest
    std::uint32_t brokers = 0;                    // that the cluster has at the moment
    std::map<std::string, std::string> settings;  // by Kafka's names; those in force
};

struct topic_needs {
    std::uint32_t replicas = 0;       // 0: three, or as many as there are brokers
    std::uint32_t wait_replicas = 0;  // besides the leader, before an append is answered
};

std::uint32_t replicas_of_new_topic(const topic_needs& needs, std::uint32_t brokers);
// Kafka's names and values.
std::vector<std::pair<std::string, std::string>> settings_of_new_topic(
    const topic_needs& needs, std::uint32_t replicas
);

// The first setting that can lose records, or stops everything, as the rest of a sentence that begins with
// the topic's name, and how to change it. Empty where all is well.
std::string fault_of(const topic_facts& topic, const topic_needs& needs);

// Whether whatever a reader has seen survives every failure of one broker. Precondition: the topic has no
// fault.
bool keeps_what_it_shows(const topic_facts& topic);

}  // namespace pulsewire::shell::kafka
