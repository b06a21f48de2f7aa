#pragma once

// How long the answers of one connection may take. The clock of an answer measures the server and not the
// link: it begins when the command has left over the slowest link that is waited for, and what stands before
// the answer puts its end off by the time that it takes on that link. A host sees an answer only as a whole,
// so both count: what has arrived meanwhile, and what is known to be still on its way.
//
// Sans-I/O: one object is one connection.

#include "common/client/reconnect.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace pulsewire::client {

class answer_clock {
public:
    struct start {
        time_ms at = 0;                   // when the command's last byte has left
        std::uint32_t arrived_bytes = 0;  // until it was sent
    };

    // A command of so many bytes is sent now, after those before it.
    start sends(std::size_t bytes, time_ms now) {
        free_at_ = std::max(free_at_, now) + static_cast<time_ms>(bytes) * link_ms_per_byte;
        return last_ = {std::max(now, free_at_ - time_ms{little_bytes} * link_ms_per_byte), arrived_bytes_};
    }
    // The last of them.
    const start& last() const { return last_; }
    // All that was sent has arrived, sooner than over the slowest link.
    void all_answered() { free_at_ = 0; }
    // So many bytes came, whatever they say.
    void arrived(std::uint32_t bytes) { arrived_bytes_ += bytes; }
    // Whether so much has arrived since that something else may have waited behind it.
    bool busy_since(const start& s) const { return since(s) >= little_bytes; }

    // The time at which an answer is overdue that the server gives within `timeout_ms`, when at most
    // `bytes_ahead` come before its end.
    time_ms deadline(const start& s, std::uint32_t timeout_ms, std::size_t bytes_ahead) const {
        const std::size_t seen = busy_since(s) ? std::min(since(s), excused_bytes_max) : 0;
        return s.at + timeout_ms + static_cast<time_ms>(std::max(seen, bytes_ahead)) * link_ms_per_byte;
    }

private:
    std::size_t since(const start& s) const {
        return static_cast<std::uint32_t>(arrived_bytes_ - s.arrived_bytes);
    }

    // The slowest link that is waited for carries a byte in a millisecond, in both directions.
    static constexpr time_ms link_ms_per_byte = 1;
    // Bytes that leave or come in no time: they fit into the first packets.
    static constexpr std::size_t little_bytes = 4'096;
    // What has arrived excuses no more than this: on a link that always carries something, an answer that
    // does not come is missed after four minutes.
    static constexpr std::size_t excused_bytes_max = 256 * 1024;

    start last_;
    time_ms free_at_ = 0;              // when all that was sent has left
    std::uint32_t arrived_bytes_ = 0;  // only differences count
};

}  // namespace pulsewire::client
