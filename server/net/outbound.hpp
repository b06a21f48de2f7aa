#pragma once

// What waits to be written to one connection: references to shared bytes, in order, counted. Nothing is
// copied or encoded here; a write gathers what waits into one system call. Lines are joined to WebSocket
// messages or SSE events only when they are written, so that everything that waits leaves together
// (docs/protocol.md 2.3).
//
// Publications of a namespace whose policy allows it may leave the queue unwritten while the connection is
// too slow for them; what is missing is told before the next one (5.4). Whatever has a part of its frame
// written, and whatever is no publication, stays.

#include "common/exchange/message.hpp"
#include "server/limits.hpp"
#include "server/net/line_run.hpp"
#include "server/net/waiting_memory.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

struct iovec;

namespace pulsewire::shell {

// Shared: the same publication waits in the queues of many connections.
using shared_bytes = std::shared_ptr<const std::string>;

// The storage of queues that became empty, kept for the next queue of the same shard: an idle connection
// holds none.
class outbound_storage;
class tls_session;
class waiting_publications;

// The bytes of messages where they depend on what was written before: the cursor of an event stream
// (docs/protocol.md 8.4.3).
class text_maker {
public:
    // Appends to `out`; nothing where the message means nothing for this connection.
    virtual void write(const hub::message_ptr& m, std::string& out) = 0;
    // These messages of one channel, in a row, have their text already: whether it may follow what was
    // written before; then they count as written.
    virtual bool passes(std::span<const hub::message_ptr> messages) = 0;
    // ... that publications of `channel` up to `offset` were dropped.
    virtual void write_gap(
        std::string_view channel, std::uint64_t offset, slow_consumer why, std::string& out
    ) = 0;

protected:
    ~text_maker() = default;
};

class outbound {
public:
    enum class framing : std::uint8_t {
        none,          // bytes go as they are
        websocket,     // lines become text messages of newline-joined lines
        event_stream,  // lines become events with one data line each (docs/protocol.md 8.1)
        plain,         // each line is a text message of its own; gaps cannot be told (10.1)
        made,          // each line becomes what a text_maker makes of its message
    };
    static constexpr std::size_t framing_count = 5;
    enum class outcome : std::uint8_t {
        drained,  // nothing waits any more, in a TLS session neither
        more,     // the turn's share is written, the socket would take more
        blocked,  // the kernel's buffer is full: wait until the socket is writable
        failed,   // the connection is broken; errno tells
    };
    // What waits because it happens counts against queue_bytes_max; what a client asked for out of a
    // channel's history is bounded by itself, and counts against replay_bytes_max.
    enum class counts : std::uint8_t { as_live, as_replay };
    struct written {
        outcome how = outcome::drained;
        std::size_t bytes = 0;  // that the kernel took
    };

    explicit outbound(outbound_storage& storage);
    ~outbound();
    outbound(const outbound&) = delete;
    outbound& operator=(const outbound&) = delete;

    // How lines pushed from now on are framed; `maker` makes them and outlives their waiting.
    void set_framing(framing f, text_maker* maker = nullptr) {
        framing_ = f;
        maker_ = maker;
    }
    // Whether the peer understands compressed WebSocket messages (RFC 7692). Runs are.
    void set_compression(bool on) { compresses_ = on; }
    framing framed_as() const { return framing_; }

    // A line that ends with a newline, framed together with its neighbours when it is written. `what` is the
    // message that it says, if it is one; `line` keeps it alive.
    void push_line(shared_bytes line, counts how = counts::as_live, const hub::message* what = nullptr);
    // Whether push_run() may be called: not where the framing knows no lines, nor while the connection is too
    // slow, since each message may have to leave the queue by itself then.
    bool takes_runs() const {
        return !blocked_ && slow_ == nullptr && framing_ != framing::none && framing_ != framing::plain;
    }
    // All that the run holds when it is written; its lines are as the framing wants them: as lines, with
    // their data prefix, or made.
    void push_run(std::shared_ptr<line_run> run);
    // Bytes that stand for themselves, behind everything that waits. `prefix` (at most 14 bytes) goes before
    // them.
    void push_raw(shared_bytes bytes, std::string_view prefix = {}, counts how = counts::as_live);
    void push_raw(std::string bytes, counts how = counts::as_live);
    // As push_raw, but before the lines that have not yet begun to be written: pongs, close frames.
    void push_control(std::string_view bytes);

    // Forgets the lines that are not part of a frame that has begun, and tells how many there were.
    std::size_t drop_lines();

    // Whether more waits than may, also after what may be dropped was dropped.
    bool overflows();
    bool empty() const { return next_ == chunks_.size(); }
    // Whether more of what the peer asks for may be carried out: at most one batch waits for it. A small
    // piece takes more memory than its bytes, so their number counts, too.
    bool has_room() const {
        return waiting_bytes() <= bounds().batch_bytes_max && chunks_.size() - next_ <= room_pieces_max;
    }
    // Bytes of answers that may be made now; 0 when there is no room.
    std::size_t room() const { return has_room() ? bounds().batch_bytes_max - waiting_bytes() + 1 : 0; }
    // Of how many pieces its memory consists.
    std::size_t pieces() const { return chunks_.size(); }
    // What waits, in bytes of memory, shared or not.
    std::size_t waiting_memory() const;

    // One or a few non-blocking gathered writes, up to turn_bytes_max; through `tls` where there is one.
    written write_to(int socket, tls_session* tls = nullptr);
    // As push_run() and write_to(). Precondition: takes_runs().
    written write_run(int socket, tls_session* tls, std::shared_ptr<line_run>&& run);

private:
    struct chunk;
    friend class outbound_storage;

    static constexpr std::size_t room_pieces_max = 512;

    const shell_limits& bounds() const;
    std::size_t waiting_bytes() const {
        const std::size_t all = bytes_ + replay_bytes_;
        return all - std::min<std::size_t>(all, offset_);
    }
    void push(chunk&& c);
    std::size_t& count_of(const chunk& c);
    bool exceeds() const;
    void make_room();
    void replace_older();
    void drop(std::size_t at);
    void close_holes();
    void forget_places();
    void push_markers();
    void take_runs_apart();
    void count_waiting();
    void hold(chunk& c);
    void release(chunk& c);
    void make_ready(std::size_t at);
    void settle(chunk& c);
    void make_run_ready(chunk& c);
    void frame_waiting(std::size_t bytes_ahead);
    void frame_batch(std::size_t end);
    bool compressible(const chunk& c) const;
    deflater* compressor_for(const line_run& run) const;
    void frame_run();
    bool is_one_run() const;
    std::size_t gather(iovec* parts, std::size_t& count) const;
    void consume(std::size_t bytes);
    bool write_few(int socket, written& result);
    void write_some(int socket, tls_session* tls, written& result);
    std::size_t write_parts(
        int socket, tls_session* tls, std::span<iovec> parts, std::size_t bytes, written& result
    );
    void tidy();

    std::vector<chunk> chunks_;
    outbound_storage* storage_;
    text_maker* maker_ = nullptr;
    std::unique_ptr<waiting_publications> slow_;  // null unless something was dropped or may be replaced
    std::size_t bytes_ = 0;                       // that wait, without framing: live
    std::size_t replay_bytes_ = 0;                // ... replayed
    std::size_t framed_bytes_ = 0;                // that have their framing and are not written
    std::uint32_t next_ = 0;                      // the first chunk that is not wholly written
    std::uint32_t framed_ = 0;                    // chunks before this one have their framing
    std::uint32_t offset_ = 0;                    // bytes of chunk next_ that are written, framing included
    std::uint32_t settled_ = 0;  // framed or not: nothing before this one may be dropped as the oldest
    std::uint32_t placed_ = 0;   // ... and what may be replaced has its place in slow_
    std::uint32_t holes_ = 0;    // chunks without framing that were dropped
    framing framing_ = framing::none;
    bool compresses_ = false;
    bool blocked_ = false;  // the kernel took less than was there
};

struct outbound::chunk {
    shared_bytes body;  // null: dropped, or written
    const hub::message* what = nullptr;
    line_run* run = nullptr;  // `body` is the text of this run
    std::array<char, 14> prefix;
    std::uint8_t prefix_size = 0;
    bool grows = false;       // the run is not sealed by this queue, and not counted
    bool ends_event = false;  // a newline follows the body
    bool held = false;        // `body` counts in the storage's waiting_memory
    counts how = counts::as_live;

    // Whether it may leave the queue by this policy.
    bool is(slow_consumer policy) const {
        return body != nullptr && what != nullptr && how == counts::as_live && what->when_slow == policy;
    }
    std::string_view text() const { return body == nullptr ? std::string_view() : *body; }
    std::size_t lines() const { return run == nullptr ? 1 : run->messages().size(); }
    // What it counts for; the text that still grows only when it is settled.
    std::size_t counted() const { return grows ? 0 : text().size(); }
    std::size_t size() const {
        return body == nullptr ? 0 : prefix_size + text().size() + (ends_event ? 1 : 0);
    }
    void set_prefix(std::string_view bytes);
};

class outbound_storage {
public:
    // `bounds` outlives the storage, the storage its queues.
    explicit outbound_storage(const shell_limits& bounds) : bounds_(bounds) {}

    const shell_limits& bounds() const { return bounds_; }
    // How many messages left their queues unwritten, by policy.
    std::array<std::uint64_t, 3>& drops() { return drops_; }
    const std::array<std::uint64_t, 3>& drops() const { return drops_; }
    deflater& compressor() { return compressor_; }
    // Of the queues that cannot be written.
    waiting_memory& memory() { return memory_; }
    const waiting_memory& memory() const { return memory_; }
    std::vector<outbound::chunk> take();
    void give_back(std::vector<outbound::chunk>&& chunks);

private:
    static constexpr std::size_t kept_max = 1'024;         // vectors; beyond: freed
    static constexpr std::size_t kept_capacity_max = 256;  // chunks of one vector; beyond: freed
    std::vector<std::vector<outbound::chunk>> kept_;
    std::array<std::uint64_t, 3> drops_{};
    deflater compressor_;
    waiting_memory memory_;
    const shell_limits& bounds_;
};

inline const shell_limits& outbound::bounds() const {
    return storage_->bounds();
}

}  // namespace pulsewire::shell
