#pragma once

// Bounds what waits for all slow readers of one shard together (waiting_bytes_total_max): those for whom the
// most waits are closed first.

#include "server/shard/connection_table.hpp"
#include "server/shard/shard_port.hpp"

#include <cstdint>

namespace pulsewire::shell {

class slow_readers {
public:
    // Both references outlive it. `bytes_max` is this shard's part.
    slow_readers(connection_table& connections, shard_port& home, std::uint64_t bytes_max);
    // Another part from now on.
    void set_max(std::uint64_t bytes_max);

    // Closes connections until not too much waits, or goes on with that at the end of the next turn. To be
    // called at the end of a turn, when the memory of those who are gone is free.
    void cut();
    // Logs how many were closed, at most once in ten seconds, whatever comes.
    void report();

private:
    connection_table& connections_;
    shard_port& home_;
    std::uint64_t bytes_max_;
    std::int64_t reported_ms_ = 0;
    std::uint64_t reported_ = 0;  // of shard_metrics::waiting_cuts
};

}  // namespace pulsewire::shell
