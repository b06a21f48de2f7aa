#pragma once

// A queue of RabbitMQ for the contract suite of feeds, behind an exchange, as shops have them.

#include "server/feed/tested_source.hpp"
#include "server/testing/rabbitmq_process.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

namespace pulsewire::testing {

// Writes one record after the other, each with an id. One whose confirm is lost with the server is written
// again, with the same id.
class rabbitmq_writer {
public:
    rabbitmq_writer(std::uint16_t port, std::string exchange) : port_(port), exchange_(std::move(exchange)) {}

    void publish(const std::string& key, const std::string& value) {
        const std::string id = exchange_ + "-" + std::to_string(++written_);
        for (int attempt = 0; attempt < 100; ++attempt) {
            if (is_kept(key, value, id)) return;
            client_.reset();
        }
        throw std::runtime_error("RabbitMQ takes nothing");
    }

private:
    bool is_kept(const std::string& key, const std::string& value, const std::string& id) {
        try {
            if (!client_) client_.emplace(port_).ask_for_confirms();
            return client_->publish_safely(exchange_, key, value, id);
        } catch (const std::runtime_error&) {
            return false;  // it is not there
        }
    }

    const std::uint16_t port_;
    const std::string exchange_;
    std::optional<rabbitmq_client> client_;
    std::uint64_t written_ = 0;
};

class rabbitmq_feed : public shell::feed::tested_source {
public:
    explicit rabbitmq_feed(const std::string& type = "classic") {
        rabbitmq_client client(server_.port());
        client.make_queue(from(), type);
        client.make_queue(dead_letters(), type);
        client.make_exchange(name_, from());
    }
    std::string address() override { return "rabbitmq://" + server_.at(); }
    std::string from() override { return name_; }
    std::string dead_letters() override { return name_ + "-dead"; }
    void write(const std::string& key, const std::string& value) override { writer_.publish(key, value); }
    std::string dead() override { return rabbitmq_client(server_.port()).take_all(dead_letters()); }
    std::size_t left() override {
        const std::string all = server_.answer({"-q", "list_queues", "name", "messages"});
        const auto at = all.find(name_ + "\t");
        return at == std::string::npos ? 1 : std::stoul(all.substr(at + name_.size() + 1));
    }
    void restart() override {
        server_.kill();
        server_.start();
    }

private:
    static std::string next_name() {
        static int last = 0;
        return "shop-" + std::to_string(++last);
    }

    rabbitmq_process& server_ = rabbitmq_of_all_tests();
    const std::string name_ = next_name();
    rabbitmq_writer writer_{server_.port(), name_};
};

inline shell::feed::source_kind tested_rabbitmq() {
    return {
        "rabbitmq",
        [] {
            return is_installed("rabbitmq-server") ? std::string()
                                                   : std::string("rabbitmq-server is not installed");
        },
        []() -> std::unique_ptr<shell::feed::tested_source> { return std::make_unique<rabbitmq_feed>(); }};
}

}  // namespace pulsewire::testing
