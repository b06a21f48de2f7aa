#pragma once

// RabbitMQ for the contract suite.

#include "server/broker/tested_broker.hpp"
#include "server/testing/log_user.hpp"
#include "server/testing/rabbitmq_process.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace pulsewire::shell::rabbitmq {

class one_rabbitmq : public broker_of_process<testing::rabbitmq_process> {
public:
    // The stream is there already: of two nodes that open a new one at the same moment the server may refuse
    // one, which is told `closed` and comes back. Two whole servers do so in a test of the suite.
    broker_options options() override {
        const std::string test = ::testing::UnitTest::GetInstance()->current_test_info()->name();
        broker_options made;
        made.url = "rabbitmq://" + server_.at();
        made.prefix = test.substr(0, test.find('/'));
        testing::log_user(made).open_until_it_answers();
        return made;
    }
    void trim(const broker_options&, cluster::mark) override {}
    bool trims_by_record() const override { return false; }

private:
    testing::rabbitmq_process& server() override { return server_; }

    testing::rabbitmq_process& server_ = testing::rabbitmq_of_all_tests();
};

inline broker_kind tested_kind() {
    return {
        "rabbitmq", "rabbitmq-server", "rabbitmq-server",
        [](const broker_kind&) -> std::unique_ptr<tested_broker> { return std::make_unique<one_rabbitmq>(); },
        [](const broker_kind&) -> std::unique_ptr<faulty_broker> {
            return std::make_unique<one_rabbitmq>();
        }};
}

}  // namespace pulsewire::shell::rabbitmq
