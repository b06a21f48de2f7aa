#pragma once

// Appends to the logs of one server, in the order of the calls. With `wait_replicas` the records of one WAIT
// are sent together, and those that come meanwhile go with the next one: the connection answers nothing while
// it waits.

#include "common/cluster/broker_port.hpp"
#include "server/broker/redis/connection.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace pulsewire::shell::redis {

// Replicas that need longer than this count as lost. Shorter than `patience`, which is about the server
// itself.
inline constexpr std::chrono::milliseconds wait_time{2'000};

class appender {
public:
    struct origin {
        cluster::partition_index partition = 0;
        cluster::log_connection connection = 0;
    };
    struct listener {
        // One more record is in the log, kept as well as was asked for.
        std::function<void(origin)> on_appended;
        // The server has refused a record.
        std::function<void(origin, std::string_view error)> on_refused;
    };
    // `to` is ready, and is made to fail when too few replicas answer or too much waits. Calls nobody after
    // its end.
    appender(std::shared_ptr<connection> to, std::uint32_t wait_replicas, listener heard);

    void append(origin from, const std::string& key, std::string bytes);

private:
    struct record {
        origin from;
        std::string key;
        std::string bytes;
    };

    void send(origin from, std::string_view key, std::string_view bytes);
    void send_batch();
    void on_waited(reply_view answer);

    std::shared_ptr<connection> to_;
    std::uint32_t wait_replicas_;
    listener heard_;
    bool waits_ = false;
    std::vector<record> next_;  // to be sent after the present WAIT
    std::size_t next_bytes_ = 0;
    std::vector<origin> written_;  // on the master, before the present WAIT
};

}  // namespace pulsewire::shell::redis
