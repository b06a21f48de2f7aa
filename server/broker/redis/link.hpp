#pragma once

// The connections to one server for the logs that it has: one that appends, one that follows. They live and
// die as one, because a loss must break every connection to a log: whatever ends one of them, or shows that
// the server is no longer the same, closes all logs of the link. An error that concerns one log closes that
// log alone.
//
// Without a cluster one link serves all partitions; in a cluster each has its own, since one XREAD cannot
// name keys of two slots.

#include "common/cluster/broker_port.hpp"
#include "server/broker/redis/appender.hpp"
#include "server/broker/redis/connection.hpp"
#include "server/broker/redis/follower.hpp"
#include "server/broker/redis/master_search.hpp"

#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace pulsewire::shell::redis {

// From the first step of a link until it stands; a server that stops in the middle is told of in time.
inline constexpr std::chrono::milliseconds opening_time_max{4'500};
// How often an idle appending connection is asked whether it still leads to the same server.
inline constexpr std::chrono::milliseconds check_interval{1'000};

struct link_options {
    std::string prefix;
    std::uint32_t wait_replicas = 0;
};

class link {
public:
    struct listener {
        std::function<void(cluster::from_broker)> on_value;
        // All its logs were told that they are closed. Nothing more comes of this link, which is destroyed
        // later.
        std::function<void()> on_broken;
    };
    // Begins to connect, to the server that has the log of `first`. `from` and `options` outlive it.
    link(const dialer& from, const link_options& options, cluster::partition_index first, listener heard);
    ~link();
    link(const link&) = delete;
    link& operator=(const link&) = delete;

    // The calls of the port, of one partition. Those of a connection that is not open (any more) do nothing.
    void open(cluster::partition_index partition, const cluster::open_log& what);
    void append(cluster::partition_index partition, cluster::append_record&& what);
    void trim(cluster::partition_index partition, const cluster::trim_log& what);
    void close(cluster::partition_index partition, const cluster::close_log& what);
    bool is_empty() const { return logs_.empty(); }

private:
    struct opened_log {
        cluster::log_connection connection = 0;
        cluster::mark from;
        cluster::mark first;
        cluster::mark last;
        bool is_begun = false;           // the server was asked for it
        std::vector<std::string> early;  // records from before that
    };
    using origin = appender::origin;

    void connect(const endpoint& to);
    void greet(const std::shared_ptr<connection>& which);
    void on_greeted(reply_view info);
    void on_up();
    void begin(cluster::partition_index partition, opened_log& log);
    void on_extent(origin which, reply_view info);
    void on_begun(origin which);
    void verify(std::function<void()> then);
    bool is_same_server(reply_view info);
    void after(std::chrono::milliseconds delay, std::function<void()> then);
    void check_later();
    void unblock_follower();
    opened_log* find(origin which);
    void forget(cluster::partition_index partition);
    void lose(origin which, std::string reason);
    void break_all(const std::string& reason);

    const dialer& from_;
    const link_options& options_;
    listener heard_;
    std::unique_ptr<master_search> search_;
    boost::asio::steady_timer timer_;  // first of the opening, then of the checks
    std::shared_ptr<connection> appending_;
    std::shared_ptr<connection> following_;
    std::string following_id_;  // what CLIENT UNBLOCK calls it
    std::string incarnation_;   // empty: not told yet
    int greeted_ = 0;           // of both connections
    std::optional<appender> appender_;
    std::optional<follower> follower_;
    std::map<cluster::partition_index, opened_log> logs_;
    std::size_t early_bytes_ = 0;
    bool unblocks_ = false;
    bool is_broken_ = false;
    // Ends with the link: a timer that has expired calls even when it was destroyed since.
    const std::shared_ptr<const bool> alive_ = std::make_shared<const bool>(true);
};

}  // namespace pulsewire::shell::redis
