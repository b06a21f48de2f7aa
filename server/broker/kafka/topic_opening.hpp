#pragma once

// Finds the topic of the logs, makes it where there is none, and looks whether it is fit to carry logs. Asks
// the brokers and waits for them: for a thread that may.

#include "common/base/result.hpp"
#include "server/broker/kafka/library.hpp"
#include "server/broker/kafka/topic.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace pulsewire::shell::kafka {

struct topic_request {
    std::string name;
    std::uint32_t partitions = 0;  // of a new one
    topic_needs needs;
};

struct opened_topic {
    std::uint32_t partitions = 0;
    std::optional<std::string> incarnation;
};

// `goes_on` is asked every now and then; after a no the result is a failure. The error is a sentence; empty
// where nobody answered before `end`.
result<opened_topic, std::string> open_topic(
    rd_kafka_t* client, const topic_request& wanted, std::chrono::steady_clock::time_point end,
    const std::function<bool()>& goes_on
);

}  // namespace pulsewire::shell::kafka
