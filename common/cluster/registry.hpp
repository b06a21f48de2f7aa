#pragma once

// The processes that are alive in a log, by the log's own word, and the time that passed by their clocks.

#include "common/cluster/bytes.hpp"
#include "common/cluster/record.hpp"

#include <cstdint>
#include <map>

namespace pulsewire::cluster {

// The newest connection of a process that is alive.
struct life {
    log_connection connection = 0;
    std::uint64_t seq = 0;        // of its newest record that counted
    std::uint64_t hello = 0;      // position of its first record
    std::uint64_t last = 0;       // ... and of its newest that counted
    std::int64_t clock_ms = 0;    // its monotonic clock there
    std::int64_t passed_ms = 0;   // the log's time as this life has measured it
    std::int64_t wall_ms = 0;     // its wall clock at hello, and the time that passed since
    std::uint16_t level_max = 1;  // the highest behaviour that it knows
};

class registry {
public:
    explicit registry(std::int64_t clock_step_max_ms) : clock_step_max_ms_(clock_step_max_ms) {}

    // Time that passed since the log began, by the fastest honest clock: an offset or a jump of a clock does
    // not move it.
    std::int64_t log_ms() const { return log_ms_; }
    const std::map<process_id, life>& alive() const { return alive_; }
    const life* find(process_id p) const {
        const auto found = alive_.find(p);
        return found == alive_.end() ? nullptr : &found->second;
    }
    bool has_ended(process_id p) const { return ended_.contains(p); }
    // The highest level that all who are alive know; 0 when nobody is.
    std::uint16_t common_level() const;

    // Whether the record continues a life, or begins one that may begin.
    bool continues(const record& r) const;
    bool may_begin(const record& r) const;
    // The record at `position`, which did count.
    void begin(const record& r, const hello& h, std::uint64_t position);
    const life& advance(const record& r, std::uint64_t position);
    void end(process_id p, std::uint64_t position);
    // Processes that ended before `position` may be forgotten: what they wrote is void by its age.
    void forget_ended_before(std::uint64_t position);

    void write(byte_writer& w) const;
    bool read(byte_reader& r);

private:
    void pass(life& l, const hub::instant& clock);

    std::int64_t clock_step_max_ms_;
    std::int64_t log_ms_ = 0;
    std::map<process_id, life> alive_;
    std::map<process_id, std::uint64_t> ended_;  // with the position of the end
};

}  // namespace pulsewire::cluster
