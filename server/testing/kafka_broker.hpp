#pragma once

// Kafka for the contract suite: it needs seconds to start, so there is one for all tests, which differ by
// their topics.

#include "server/broker/tested_broker.hpp"
#include "server/testing/kafka_process.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace pulsewire::shell::kafka {

inline testing::kafka_process& kafka_of_all_tests() {
    static testing::kafka_process server;
    return server;
}

class one_kafka : public broker_of_process<testing::kafka_process> {
public:
    broker_options options() override {
        const std::string test = ::testing::UnitTest::GetInstance()->current_test_info()->name();
        return {.url = "kafka://" + server_.at(), .prefix = test.substr(0, test.find('/'))};
    }
    void trim(const broker_options& of, cluster::mark before) override {
        testing::kafka_client(server_.at()).trim(of.prefix, static_cast<std::int64_t>(before.high) - 1);
    }

private:
    testing::kafka_process& server() override { return server_; }

    testing::kafka_process& server_ = kafka_of_all_tests();
};

inline broker_kind tested_kind() {
    return {
        .name = "kafka",
        .program = "java",
        .package = "openjdk-17-jre-headless",
        .start = [](const broker_kind&) -> std::unique_ptr<tested_broker> {
            return std::make_unique<one_kafka>();
        },
        .start_faulty = [](const broker_kind&) -> std::unique_ptr<faulty_broker> {
            return std::make_unique<one_kafka>();
        },
        .lacks = testing::kafka_lacks,
    };
}

}  // namespace pulsewire::shell::kafka
