#pragma once

// The numbers of the shared log that all nodes of a cluster must have alike, because records are judged by
// them before any option was read. They are fixed in the program; only tests choose smaller ones.

#include <cstdint>

namespace pulsewire::cluster {

struct log_rules {
    // A record counts only if its writer had read all but so many of the records before it.
    std::uint64_t base_age_max = 4096;
    // A life adds at most so much log time from one of its records to the next, and a publication's time is
    // at most so far beyond what its writer's clock would say if it had never been set.
    std::int64_t clock_step_max_ms = 2'000;
    // Bytes of the log from the end of one checkpoint to the next. One that begins after less than half is
    // not counted.
    std::uint64_t checkpoint_bytes = 64u << 20;
    // The log is trimmed before the older of two checkpoints when so much follows the newer.
    std::uint64_t trim_bytes = 64u << 20;
    std::int64_t trim_ms = 60'000;
};

}  // namespace pulsewire::cluster
