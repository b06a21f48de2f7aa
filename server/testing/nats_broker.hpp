#pragma once

// NATS for the contract suite.

#include "server/broker/nats/address.hpp"
#include "server/broker/tested_broker.hpp"
#include "server/testing/nats_process.hpp"

#include <filesystem>
#include <memory>
#include <string>

namespace pulsewire::shell::nats {

class one_nats : public faulty_broker {
public:
    broker_options options() override { return {.url = "nats://" + server_.at()}; }
    void trim(const broker_options& of, cluster::mark before) override {
        const std::string stream = read_address(of)->name + "-0";
        server_("$JS.API.STREAM.PURGE." + stream, "{\"seq\":" + std::to_string(before.high) + "}");
    }
    void restart() override {
        server_.kill();
        server_.start();
    }
    void keep() override {
        server_.kill();
        std::filesystem::copy(server_.data(), kept(), std::filesystem::copy_options::recursive);
        server_.start();
    }
    void restart_with_kept() override {
        server_.kill();
        std::filesystem::remove_all(server_.data());
        std::filesystem::rename(kept(), server_.data());
        server_.start();
    }
    void pause() override { server_.pause(); }
    void resume() override { server_.resume(); }

private:
    std::string kept() const { return server_.folder() + "/kept"; }
    testing::nats_process server_;
};

inline broker_kind tested_kind() {
    return {
        "nats", "nats-server", "nats-server",
        [](const broker_kind&) -> std::unique_ptr<tested_broker> { return std::make_unique<one_nats>(); },
        [](const broker_kind&) -> std::unique_ptr<faulty_broker> { return std::make_unique<one_nats>(); }};
}

}  // namespace pulsewire::shell::nats
