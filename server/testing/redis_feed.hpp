#pragma once

// Redis for the contract suite of feeds.

#include "server/feed/tested_source.hpp"
#include "server/testing/redis_process.hpp"

#include <memory>
#include <string>

namespace pulsewire::testing {

class redis_feed : public shell::feed::tested_source {
public:
    std::string address() override { return "redis://" + server_.at(); }
    std::string from() override { return "orders"; }
    std::string dead_letters() override { return "orders-dead"; }
    void write(const std::string& key, const std::string& value) override {
        server_({"XADD", "orders", "*", "key", key, "data", value});
    }
    std::string dead() override { return server_({"XRANGE", "orders-dead", "-", "+"}); }
    std::size_t left() override {
        // "name", "pulsewire", "consumers", 1, "pending", n, "last-delivered-id", id.
        const std::string groups = server_({"XINFO", "GROUPS", "orders"});
        const auto word = [&](const std::string& name) {
            const auto at = groups.find(name + "\n");
            if (at == std::string::npos) return std::string();
            const auto begin = at + name.size() + 1;
            return groups.substr(begin, groups.find('\n', begin) - begin);
        };
        if (word("pending").empty()) return 1;
        const std::string unread = server_({"XRANGE", "orders", "(" + word("last-delivered-id"), "+"});
        return std::stoul(word("pending")) + (unread.empty() ? 0 : 1);
    }
    void restart() override {
        server_.kill();
        server_.start();
    }

private:
    redis_process server_;
};

inline shell::feed::source_kind tested_redis() {
    return {
        "redis",
        [] {
            return is_installed("redis-server") ? std::string()
                                                : std::string("redis-server is not installed");
        },
        []() -> std::unique_ptr<shell::feed::tested_source> { return std::make_unique<redis_feed>(); }};
}

}  // namespace pulsewire::testing
