#pragma once

// Reads the records of some logs of one server as they are appended: rounds of one blocking XREAD over all of
// them, on a connection that does nothing else.
//
// Two things that Redis does in silence are found here. A server that became a replica and master again has
// other records under the same connection: so each round asks for the incarnation after XREAD, and what it
// read counts only when that has not changed. XREAD jumps over records that were trimmed before they were
// read: so where the end of a log was not reached for some time, the record that was read last must still be
// there after XREAD.

#include "common/cluster/broker_port.hpp"
#include "server/broker/redis/connection.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace pulsewire::shell::redis {

// The bytes of records that one round may bring, at most, if all were as large as records may be.
inline constexpr std::size_t round_bytes_max = std::size_t{32} << 20;
// How long XREAD waits for a record, and therefore how often a quiet connection is seen to be alive.
inline constexpr std::chrono::milliseconds block_time{1'000};
// A reader that has reached the end of a log within this time cannot have been overtaken by a trim: nodes
// leave at least the last 60 seconds.
inline constexpr std::chrono::seconds unchecked_max{10};

class follower {
public:
    struct listener {
        std::function<void(cluster::partition_index, cluster::mark at, std::string&& bytes)> on_record;
        // Of one log nothing more comes. It is removed before.
        std::function<void(cluster::partition_index, std::string reason)> on_lost;
        // Whether the server that said this is the one that was connected to. If not, nothing more is read.
        std::function<bool(reply_view info)> is_same_server;
    };
    // `to` is ready, and is made to fail when the server refuses to be read. Calls nobody after its end.
    follower(std::shared_ptr<connection> to, listener heard);

    // Reads from the record at `from` on. Precondition: the partition is not followed.
    void add(cluster::partition_index partition, std::string key, cluster::mark from);
    void remove(cluster::partition_index partition) { logs_.erase(partition); }
    // A round is under way that lacks a log and lasts until XREAD is unblocked, a record comes, or its time
    // is over.
    bool is_to_be_unblocked() const { return in_round_ && round_numbers_ < numbers_; }

private:
    struct followed {
        std::string key;
        cluster::mark after;
        std::uint64_t number;   // tells it from another one of the same partition
        bool has_read = false;  // `after` is a record
        bool is_gone = false;   // and was trimmed
        std::optional<std::chrono::steady_clock::time_point> at_end;  // when it was last read to its end
    };

    void start_round();
    void send_read();
    void send_check(cluster::partition_index partition, const followed& log);
    void on_round_over(reply_view info);
    void take(reply_view stream);

    std::shared_ptr<connection> to_;
    listener heard_;
    std::map<cluster::partition_index, followed> logs_;
    std::uint64_t numbers_ = 0;
    bool in_round_ = false;
    std::uint64_t round_numbers_ = 0;  // logs with a larger number are not in this round
    std::size_t round_records_ = 0;    // of each log, at most
    std::chrono::steady_clock::time_point round_began_;
    std::optional<reply> read_;  // by XREAD
};

}  // namespace pulsewire::shell::redis
