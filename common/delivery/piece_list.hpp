#pragma once

// The pieces that wait for one connection, in order, counted: first those that have their framing, then those
// that have not. Knows nothing of the meaning of the bytes, nor of slow readers.
//
// The class has many members because all that is counted of a list changes with each piece that comes or
// leaves; half of them are one line, for one of those who ask.

#include "common/delivery/piece.hpp"
#include "common/delivery/storage.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace pulsewire::delivery {

// One stretch of bytes to be written; laid out as the kernel's iovec.
struct part {
    const char* data;
    std::size_t size;
};

class piece_list {
public:
    explicit piece_list(storage& of) : storage_(&of) {}
    ~piece_list();
    piece_list(const piece_list&) = delete;
    piece_list& operator=(const piece_list&) = delete;

    storage& home() const { return *storage_; }
    const bounds& limits() const { return storage_->limits(); }

    bool empty() const { return next_ == pieces_.size(); }
    std::size_t size() const { return pieces_.size(); }
    std::size_t waiting() const { return pieces_.size() - next_; }
    piece& operator[](std::size_t at) { return pieces_[at]; }
    const piece& operator[](std::size_t at) const { return pieces_[at]; }
    piece& last() { return pieces_.back(); }
    std::span<piece> all() { return pieces_; }
    // Pieces before this one have their framing.
    std::size_t framed() const { return framed_; }
    // Bytes that have their framing and are not written.
    std::size_t framed_bytes() const { return framed_bytes_; }
    // Bytes that wait, without framing, by how they count.
    std::size_t live_bytes() const { return live_bytes_; }
    std::size_t replay_bytes() const { return replay_bytes_; }
    std::size_t unwritten_bytes() const;

    // At the end, without framing.
    void push(piece&& p);
    // Behind what has its framing.
    void push_framed(piece&& p);
    // The pieces before `end` have their framing now.
    void frame_up_to(std::size_t end);
    // The piece is only these bytes from now on.
    void replace(piece& p, shared_bytes with);
    // This connection gets of a run what it holds by now.
    void settle(piece& p);
    // It leaves the queue unwritten; a hole remains until close_holes(), or its framing.
    void drop(piece& p);
    // When most of what waits are holes: their number, and so the list's, is bounded by what is left. Whether
    // places have changed.
    bool close_holes();
    // Everything without framing. Returns how many lines there were.
    std::size_t drop_unframed();
    // Each message of a run becomes a piece of its own, where it has no framing. Whether there was a run.
    bool take_runs_apart();

    // As many stretches as fit of what has its framing. Returns their bytes.
    std::size_t gather(std::span<part> into, std::size_t& count) const;
    // So many bytes of the framed ones are written.
    void take(std::size_t bytes);
    // All are written, whether they had their framing or not.
    void take_all();
    // Gives the memory back when nothing waits, and keeps it from growing when something always does. Whether
    // places have changed.
    bool tidy();

    // Whether what waits counts in waiting_memory: what is there now and what comes.
    void count_memory(bool on);
    std::size_t memory() const;

private:
    std::size_t& count_of(const piece& p) { return p.how == counts::as_live ? live_bytes_ : replay_bytes_; }
    void reserve();
    void hold(piece& p);
    void release(piece& p);

    std::vector<piece> pieces_;
    storage* storage_;
    std::size_t live_bytes_ = 0;
    std::size_t replay_bytes_ = 0;
    std::size_t framed_bytes_ = 0;
    std::uint32_t next_ = 0;  // the first piece that is not wholly written
    std::uint32_t framed_ = 0;
    std::uint32_t offset_ = 0;  // bytes of piece next_ that are written, framing included
    std::uint32_t holes_ = 0;   // pieces without framing that were dropped
    bool counts_memory_ = false;
};

}  // namespace pulsewire::delivery
