#pragma once

// The publications of one channel in their order, as many as its namespace keeps.

#include "common/exchange/message.hpp"
#include "common/protocol/limits.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace pulsewire::hub {

class channel_log {
public:
    channel_log(std::string epoch, const namespace_options& options)
        : epoch_(std::move(epoch)), options_(options) {}

    const std::string& epoch() const { return epoch_; }
    // The offset of the newest publication ever, 0 before the first.
    std::uint64_t head() const { return head_; }
    bool empty() const { return kept().empty(); }
    // About what it takes in memory.
    std::uint64_t bytes() const { return bytes_ + kept().size() * publication_overhead_bytes; }

    // The next publication gets the offset head + 1. Precondition: nothing was appended yet.
    void start_at(std::uint64_t head) { head_ = head; }
    // `m` carries the offset head() + 1. `now_ms` is monotonic.
    void append(message_ptr m, std::int64_t now_ms);
    // Drops what the namespace keeps no longer.
    void trim(std::int64_t now_ms);
    // Drops the oldest ones, until `bytes` less are taken or nothing is left.
    void give_up(std::uint64_t bytes);

    // Whether every publication after `offset` is still here. Precondition: offset <= head().
    bool reaches_back_to(std::uint64_t offset) const { return offset + 1 >= oldest(); }
    // Those after `offset` that are here, at most `most`, in order.
    std::vector<message_ptr> after(std::uint64_t offset, std::size_t most) const;
    // The newest ones before `offset`, at most `most`, newest first.
    std::vector<message_ptr> before(std::uint64_t offset, std::size_t most) const;
    // The offset of the first publication that was put in order at this wall-clock time or later; head() + 1
    // when all that are here are older.
    std::uint64_t first_at(std::int64_t wall_ms) const;
    // The newest `most`, in order.
    std::vector<message_ptr> latest(std::size_t most) const;

    // The offset of the oldest publication that is here; head() + 1 when there is none.
    std::uint64_t oldest() const { return head_ + 1 - kept().size(); }

    // What a publication takes beside its line.
    static constexpr std::uint64_t publication_overhead_bytes = 256;

private:
    struct entry {
        message_ptr what;
        std::int64_t at_ms;
    };

    std::span<const entry> kept() const { return std::span(entries_).subspan(dropped_); }
    void drop_oldest();

    std::string epoch_;
    namespace_options options_;
    std::uint64_t head_ = 0;
    std::size_t bytes_ = 0;
    // Those that are kept, behind some that are dropped already: most channels keep few, and a deque's first
    // publication costs 600 bytes.
    std::vector<entry> entries_;
    std::size_t dropped_ = 0;
};

}  // namespace pulsewire::hub
