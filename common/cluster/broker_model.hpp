#pragma once

// The reference of a broker: the log of one partition in memory, with everything that may go wrong. It fills
// the same port as the adapters, for several nodes at once; nodes are told apart by numbers.

#include "common/cluster/broker_port.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace pulsewire::cluster {

using node_number = std::uint32_t;

// The chances of one append, in per cent, and its times.
struct append_weather {
    std::uint32_t lost = 0;     // never arrives, and the connection goes on
    std::uint32_t late = 0;     // arrives behind others
    std::uint32_t doubled = 0;  // arrives a second time, later
    std::uint32_t latency_ms_max = 0;
    std::uint32_t late_ms_max = 0;
};

struct broker_options {
    partition_index partition = 0;
    std::uint64_t seed = 0;
    // Whether it says what its incarnation is.
    bool tells_incarnation = true;
    // Marks are the time of their record; otherwise they count, and count again after a loss.
    bool marks_are_times = false;
    append_weather weather;
    // A failover loses nothing older. Nodes trim only behind what is older still.
    std::int64_t lost_age_ms_max = 3'000;
};

class broker_model {
public:
    explicit broker_model(const broker_options& o);

    // A wish of a node.
    void on(node_number from, const to_broker& what, std::int64_t now_ms);
    // Time passes: appends arrive, a master of old comes to its end.
    void advance(std::int64_t now_ms);
    // The reports that wait for the node, with so many records at most.
    std::vector<from_broker> take(node_number to, std::size_t records_max, std::int64_t now_ms);

    // --- faults ---

    void set_weather(const append_weather& w) { options_.weather = w; }
    // Nothing arrives, nothing is reported until then.
    void pause(std::int64_t until_ms) { paused_until_ms_ = until_ms; }
    // Refuses appends, by closing the connection, until then.
    void fill(std::int64_t until_ms) { full_until_ms_ = until_ms; }
    // Another master takes over, without so many of the last records; returns how many it has lost. The old
    // one may go on for a while: it appends and shows for those who are connected to it.
    std::size_t fail_over(std::size_t lost, std::int64_t old_goes_on_until_ms, std::int64_t now_ms);
    // Keeps so many records and drops those before, asked or not.
    void retain(std::size_t records);
    // The connection of the node ends.
    void disconnect(node_number node, const std::string& reason);

    // --- for witnesses ---

    // The records of the present master that are still there, and all that it ever had.
    std::size_t size() const { return master_->records.size() - master_->trimmed; }
    std::size_t total() const { return master_->records.size(); }
    const std::string& record(std::size_t index) const { return *master_->records[index].bytes; }

private:
    struct stored {
        mark at;
        std::int64_t arrived_ms = 0;
        std::shared_ptr<const std::string> bytes;  // shared by a master and the one that takes over
    };
    struct server {
        std::vector<stored> records;  // those that are trimmed, too, for witnesses
        std::size_t trimmed = 0;
        std::uint64_t incarnation = 1;
        std::int64_t dies_ms = INT64_MAX;
    };
    struct client {
        log_connection connection = 0;
        std::shared_ptr<server> at;  // null: not connected
        bool opening = false;
        mark from;
        std::size_t next = 0;                // record to be reported next
        std::uint64_t appends = 0;           // on this connection
        std::uint64_t kept = 0;              // ... reported as appended
        std::vector<std::uint64_t> arrived;  // appends that arrived before one of before
        std::uint32_t to_report = 0;
        std::vector<from_broker> reports;
    };
    struct in_flight {
        std::int64_t due_ms = 0;
        std::shared_ptr<server> to;
        node_number from = 0;
        log_connection connection = 0;
        std::uint64_t number = 0;  // 0: a double
        std::shared_ptr<const std::string> bytes;
    };

    void append(node_number from, client& c, const append_record& a, std::int64_t now_ms);
    void arrive(const in_flight& a, std::int64_t now_ms);
    void open(client& c);
    void break_connection(client& c, const std::string& reason);
    bool percent(std::uint32_t chance);
    std::int64_t up_to(std::uint32_t ms_max);

    broker_options options_;
    std::uint64_t random_;
    std::uint64_t incarnations_ = 1;
    std::int64_t paused_until_ms_ = 0;
    std::int64_t full_until_ms_ = 0;
    // Shared with the connections and appends that are still on their way to it.
    std::shared_ptr<server> master_;
    std::map<node_number, client> clients_;
    std::deque<in_flight> in_flight_;
};

}  // namespace pulsewire::cluster
