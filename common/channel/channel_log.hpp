#pragma once

// The publications of one channel in order, as many as its namespace keeps.

#include "common/channel/snapshots.hpp"
#include "common/exchange/config.hpp"
#include "common/exchange/message.hpp"
#include "common/protocol/limits.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace pulsewire::hub {

class channel_log {
public:
    channel_log(std::string epoch, const namespace_options& options)
        : epoch_(std::move(epoch)),
          options_(options),
          snapshots_(options.state_bytes_max == 0 ? nullptr : std::make_unique<snapshots>()) {}

    const std::string& epoch() const { return epoch_; }
    // The offset of the newest publication so far, kept or not; 0 before the first.
    std::uint64_t head() const { return head_; }
    bool empty() const { return kept().empty(); }
    // About the memory that the kept publications take.
    std::uint64_t bytes() const { return bytes_ + kept().size() * publication_overhead_bytes; }

    // The next publication gets the offset head + 1. Precondition: nothing was appended yet.
    void start_at(std::uint64_t head) { head_ = head; }
    // `m` carries the offset head() + 1. `now_ms` is monotonic.
    void append(message_ptr m, std::int64_t now_ms);
    // The bounds of the history are those of `fresh`.
    void use(const namespace_options& fresh) { take_changeable(options_, fresh); }
    // Drops the publications that the namespace no longer keeps.
    void trim(std::int64_t now_ms);
    // Drops the oldest publications until at least `bytes` are freed or none may go.
    void give_up(std::uint64_t bytes);

    // Whether every publication after `offset` is still kept. Precondition: offset <= head().
    bool reaches_back_to(std::uint64_t offset) const { return offset + 1 >= oldest(); }
    // The kept publications after `offset`, at most `most`, in order.
    std::vector<message_ptr> after(std::uint64_t offset, std::size_t most) const;
    // The newest kept publications before `offset`, at most `most`, newest first.
    std::vector<message_ptr> before(std::uint64_t offset, std::size_t most) const;
    // The offset of the first kept publication whose time is this wall-clock time or
    // later; head() + 1 when all are older.
    std::uint64_t first_at(std::int64_t wall_ms) const;
    // The newest kept publications, at most `most`, in order.
    std::vector<message_ptr> latest(std::size_t most) const;

    // --- state (protocol 4.29) ---
    bool keeps_state() const { return snapshots_ != nullptr; }
    // The newest snapshot covers the publications up to here; what comes behind stays, whatever its age.
    std::uint64_t covers() const { return keeps_state() ? snapshots_->covers() : 0; }
    // The parts of that snapshot.
    std::vector<message_ptr> snapshot_parts() const;
    // About the memory of what is kept behind covers(). Of snapshots that are not, or not yet, the newest it
    // counts their marks alone: they are gone as soon as another one is whole.
    std::uint64_t tail_bytes() const { return tail_bytes_; }
    // ... of the parts of the newest snapshot alone.
    std::uint64_t snapshot_bytes() const;
    // ... of what will be kept behind the offset that this snapshot covers, without the part that it is.
    std::uint64_t bytes_behind(const snapshot_view& s) const;

    // The offset of the oldest kept publication; head() + 1 when there is none.
    std::uint64_t oldest() const { return head_ + 1 - kept().size(); }

    // The memory that a publication takes beside its line.
    static constexpr std::uint64_t publication_overhead_bytes = 256;

private:
    struct entry {
        message_ptr what;
        std::int64_t at_ms;
    };

    std::span<const entry> kept() const { return std::span(entries_).subspan(dropped_); }
    static std::uint64_t bytes_of(const message& m) { return m.line.size() + publication_overhead_bytes; }
    // The sum of those behind the offset; of a snapshot for which `is_state(message)` is false, its mark.
    template <class Predicate>
    std::uint64_t sum_behind(std::uint64_t offset, Predicate is_state) const;
    void add_snapshot(const message& m);
    bool may_drop_oldest() const { return !empty() && (!keeps_state() || oldest() <= covers()); }
    void drop_oldest();

    std::string epoch_;
    namespace_options options_;
    std::uint64_t head_ = 0;
    std::size_t bytes_ = 0;
    // The first `dropped_` entries are dropped already, the others are kept. Not a deque: most channels keep
    // few publications, and the first one in a deque costs 600 bytes.
    std::vector<entry> entries_;
    std::size_t dropped_ = 0;
    std::unique_ptr<snapshots> snapshots_;  // null: the namespace keeps no state
    std::uint64_t tail_bytes_ = 0;
};

}  // namespace pulsewire::hub
