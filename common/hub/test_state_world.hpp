#pragma once

// Servers that keep state in memory, on a disk and in a log that two nodes share, for tests that want the
// same of all three.

#include "common/exchange/store_image.hpp"
#include "common/hub/test_cluster.hpp"
#include "common/hub/test_node.hpp"

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace pulsewire::hub {

class state_world {
public:
    using lines = std::vector<std::string>;

    virtual ~state_world() = default;
    // The number of a new client, which is connected.
    virtual int connect(const std::string& session) = 0;
    virtual void close(int client) = 0;
    // What is said is carried out, on all nodes, before this returns.
    virtual void say(int client, const std::string& line) = 0;
    virtual lines heard(int client) = 0;
    // The servers begin another life with what they kept. False: they keep nothing.
    virtual bool restart() = 0;

    lines ask(int client, const std::string& line) {
        say(client, line);
        return heard(client);
    }
};

class state_in_memory final : public state_world {
public:
    explicit state_in_memory(config c) {
        c.default_namespace.keeps = durability::memory;
        node_ = std::make_unique<test_node>(static_cast<shard_index>(2), std::move(c));
    }
    int connect(const std::string& session) override {
        clients_.push_back(node_->connect(static_cast<shard_index>(clients_.size() % 2), session));
        return static_cast<int>(clients_.size()) - 1;
    }
    void close(int client) override { node_->close(at(client)); }
    void say(int client, const std::string& line) override {
        node_->say(at(client), line);
        node_->settle();
    }
    lines heard(int client) override { return node_->heard(at(client)); }
    bool restart() override { return false; }

private:
    test_node::client at(int client) const { return clients_[static_cast<std::size_t>(client)]; }

    std::unique_ptr<test_node> node_;
    std::vector<test_node::client> clients_;
};

class state_on_disk final : public state_world {
public:
    explicit state_on_disk(config c) : config_(std::move(c)) {
        config_.default_namespace.keeps = durability::disk;
        config_.store_id = 7;
        start();
    }
    int connect(const std::string& session) override {
        clients_.push_back(node_->connect(0, session));
        return static_cast<int>(clients_.size()) - 1;
    }
    void close(int client) override {
        node_->close(at(client));
        write();
    }
    void say(int client, const std::string& line) override {
        node_->say(at(client), line);
        write();
    }
    lines heard(int client) override { return node_->heard(at(client)); }
    bool restart() override {
        start();
        return true;
    }

private:
    test_node::client at(int client) const { return clients_[static_cast<std::size_t>(client)]; }
    void write() {
        for (std::vector<store_op> ops = node_->write(0); !ops.empty(); ops = node_->write(0))
            for (const store_op& op : ops) image_.apply(op);
        node_->settle();
    }
    void start() {
        config_.store_generation = image_.generation();
        node_ = std::make_unique<test_node>(static_cast<shard_index>(1), config_, ++lives_);
        for (restored_channel& c : image_.channels()) node_->at(0).restore(std::move(c), node_->now());
        for (const restored_key& k : image_.keys()) node_->at(0).restore(k, node_->now());
    }

    config config_;
    store_image image_;
    std::unique_ptr<test_node> node_;
    std::vector<test_node::client> clients_;
    std::uint64_t lives_ = 0;
};

class state_in_log final : public state_world {
public:
    explicit state_in_log(config c) : world_(2, 1, {}, in_log(std::move(c))) { world_.run(500); }
    int connect(const std::string& session) override {
        clients_.push_back(world_.connect(clients_.size() % 2, session));
        return static_cast<int>(clients_.size()) - 1;
    }
    void close(int client) override { world_.close(at(client)); }
    void say(int client, const std::string& line) override {
        world_.say(at(client), line);
        world_.run(200);
    }
    lines heard(int client) override { return world_.heard(at(client)); }
    // One node after the other.
    bool restart() override {
        for (const std::size_t n : {std::size_t{0}, std::size_t{1}}) {
            world_.start(n);
            world_.run(500);
        }
        return true;
    }

private:
    static config in_log(config c) {
        for (auto& [name, options] : c.namespaces) options.keeps = durability::broker;
        return c;
    }
    test_cluster::client at(int client) const { return clients_[static_cast<std::size_t>(client)]; }

    test_cluster world_;
    std::vector<test_cluster::client> clients_;
};

}  // namespace pulsewire::hub
