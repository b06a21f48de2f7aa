#pragma once

// The logs that are open, over one client of the cluster. They live and die as one: whatever breaks a
// connection to any broker closes them all, since nobody says which of them that broker led. An error that
// concerns one log closes that log alone.

#include "common/base/result.hpp"
#include "common/cluster/broker_port.hpp"
#include "server/broker/kafka/client.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pulsewire::shell::kafka {

class link {
public:
    struct listener {
        std::function<void(cluster::from_broker)> on_value;
        // All its logs were told that they are closed. Nothing more comes of this link, which is destroyed
        // later.
        std::function<void()> on_broken;
    };
    // Begins to connect. The loop and `options` outlive it, and its client.
    link(boost::asio::io_context& loop, const client_options& options, listener heard);
    link(const link&) = delete;
    link& operator=(const link&) = delete;

    // The calls of the port, of one partition. Those of a connection that is not open (any more) do nothing.
    void open(cluster::partition_index partition, const cluster::open_log& what);
    void append(cluster::partition_index partition, cluster::append_record&& what);
    void trim(cluster::partition_index partition, const cluster::trim_log& what);
    void close(cluster::partition_index partition, const cluster::close_log& what);
    bool is_empty() const { return logs_.empty(); }
    // Closes all logs.
    void break_all(const std::string& reason);

    // Nothing more comes of this link.
    void stop();
    // After stop(): the client, for somebody who may wait while it is destroyed.
    std::unique_ptr<client> release() { return std::move(client_); }

private:
    struct opened_log {
        cluster::log_connection connection = 0;
        cluster::mark from;
        std::int64_t next = 0;  // the offset that is read next, when it is followed
        std::chrono::steady_clock::time_point since;
        bool is_followed = false;
        std::vector<std::string> early;  // records from before it is known what the log holds
    };
    using partition_index = cluster::partition_index;
    using log_connection = cluster::log_connection;

    void on_ready(const opened_topic& topic);
    void ask(partition_index partition, const opened_log& log);
    void on_extent(
        partition_index partition, log_connection connection, const result<extent, std::string>& found
    );
    void on_record(
        partition_index partition, log_connection connection, std::int64_t offset, std::string_view bytes
    );
    void check_later();
    opened_log* find(partition_index partition, log_connection connection);
    void forget(partition_index partition);
    void lose(partition_index partition, log_connection connection, const std::string& reason);

    const client_options& options_;
    listener heard_;
    std::unique_ptr<client> client_;
    boost::asio::steady_timer timer_;
    std::optional<opened_topic> topic_;  // when the client is ready
    std::map<partition_index, opened_log> logs_;
    std::size_t early_bytes_ = 0;
    bool is_broken_ = false;
    // Ends with the link: a timer that has expired calls even when it was destroyed since.
    const std::shared_ptr<const bool> alive_ = std::make_shared<const bool>(true);
};

}  // namespace pulsewire::shell::kafka
