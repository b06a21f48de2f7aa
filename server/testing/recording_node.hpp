#pragma once

// A node as one shard sees it, without other shards: writes down what the shard hands to it.

#include "server/shard/conversation.hpp"
#include "server/shard/mail_load.hpp"
#include "server/shard/ports.hpp"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace pulsewire::shell {

class recording_node final : public node_port {
public:
    const config& settings() const override { return settings_; }
    hub::shard_index shard_count() const override { return 3; }
    std::span<observer_port* const> observers() const override { return observing; }
    const canned_answers& canned() const override { return canned_; }
    std::unique_ptr<conversation> first_conversation(connection&, shard&) override { return nullptr; }
    std::uint64_t waiting_bytes_max() const override { return UINT64_MAX; }
    const mail_load& mail() const override { return mail_; }
    void post(hub::shard_index to, std::vector<hub::shard_message>&& batch) override {
        calls.push_back("post " + std::to_string(to) + ": " + std::to_string(batch.size()));
    }
    void store(hub::shard_index from, std::vector<hub::store_op>&& operations) override {
        calls.push_back("store from " + std::to_string(from) + ": " + std::to_string(operations.size()));
    }
    bool admit_connection() override { return true; }
    void release_connection() override {}
    void shard_quiet() override { calls.push_back("quiet"); }
    void shard_drained() override { calls.push_back("drained"); }

    // What was called since the last time.
    std::vector<std::string> take_calls() { return std::exchange(calls, {}); }
    std::vector<std::string> calls;

    std::vector<observer_port*> observing;  // to be filled before a shard is made

private:
    config settings_;
    mail_load mail_{UINT64_MAX};
    canned_answers canned_;
};

}  // namespace pulsewire::shell
