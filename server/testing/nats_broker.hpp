#pragma once

// NATS for the contract suite.

#include "server/broker/nats/address.hpp"
#include "server/broker/tested_broker.hpp"
#include "server/testing/nats_process.hpp"

#include <memory>
#include <string>

namespace pulsewire::shell::nats {

class one_nats : public broker_of_process<testing::nats_process> {
public:
    broker_options options() override { return {.url = "nats://" + server_.at()}; }
    void trim(const broker_options& of, cluster::mark before) override {
        const std::string stream = read_address(of)->name + "-0";
        server_("$JS.API.STREAM.PURGE." + stream, "{\"seq\":" + std::to_string(before.high) + "}");
    }

private:
    testing::nats_process& server() override { return server_; }

    testing::nats_process server_;
};

inline broker_kind tested_kind() {
    return {
        "nats", "nats-server", "nats-server",
        [](const broker_kind&) -> std::unique_ptr<tested_broker> { return std::make_unique<one_nats>(); },
        [](const broker_kind&) -> std::unique_ptr<faulty_broker> { return std::make_unique<one_nats>(); }};
}

}  // namespace pulsewire::shell::nats
