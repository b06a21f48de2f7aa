#pragma once

// Lets a client of librdkafka connect to each broker once. The library connects again by itself, and sends
// what waits; but a broker that came back may have lost a record, so nothing that was sent to the one before
// may reach it. After the first connection that stood and ended, no other one is made.

#include "server/broker/kafka/library.hpp"

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <tuple>

namespace pulsewire::shell::kafka {

class connection_guard {
public:
    // What the library gets to know instead of a connection.
    static constexpr int refusal = ECONNABORTED;

    // `broken` is called once, on a thread of the library, which may not be called from there; `where` is
    // "host:port".
    explicit connection_guard(std::function<void(const std::string& where)> broken);
    connection_guard(const connection_guard&) = delete;
    connection_guard& operator=(const connection_guard&) = delete;

    // Watches the client that will be made of `conf`; several may be watched. The guard outlives them, and is
    // the opaque of `conf`.
    void watch(rd_kafka_conf_t* conf);
    // Any thread may ask.
    bool is_broken() const { return is_broken_; }
    bool has_connected() const { return has_connected_; }
    // Connections end from now on because the clients do: nobody is told.
    void retire() { is_broken_ = true; }

private:
    static rd_kafka_resp_err_t on_change(
        rd_kafka_t* client, std::int32_t id, const char* protocol, const char* host, int port,
        const char* state, void* self
    );
    void on_state(const rd_kafka_t* client, const std::string& host, int port, std::string_view state);

    std::function<void(const std::string& where)> broken_;
    std::atomic<bool> is_broken_ = false;
    std::atomic<bool> has_connected_ = false;
    std::mutex lock_;
    std::set<std::tuple<const rd_kafka_t*, std::string, int>> up_;  // lock_
};

}  // namespace pulsewire::shell::kafka
