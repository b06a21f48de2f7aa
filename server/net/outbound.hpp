#pragma once

// What waits to be written to one connection: references to shared bytes, in order, counted. Nothing is
// copied or encoded here; a write gathers what waits into one system call. Lines are joined to WebSocket
// messages or SSE events only when they are written, so that everything that waits leaves together
// (docs/protocol.md 2.3).

#include "server/limits.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
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

class outbound {
public:
    enum class framing : std::uint8_t {
        none,          // bytes go as they are
        websocket,     // lines become text messages of newline-joined lines
        event_stream,  // lines become events with one data line each (docs/protocol.md 8.1)
    };
    enum class outcome : std::uint8_t {
        drained,  // nothing waits any more
        more,     // the turn's share is written, the socket would take more
        blocked,  // the kernel's buffer is full: wait until the socket is writable
        failed,   // the connection is broken; errno tells
    };
    // What waits because it happens counts against queue_bytes_max; what a client asked for out of a
    // channel's history is bounded by itself, and counts against replay_bytes_max.
    enum class counts : std::uint8_t { as_live, as_replay };
    struct written {
        outcome how = outcome::drained;
        std::size_t bytes = 0;
    };

    explicit outbound(outbound_storage& storage) : storage_(&storage) {}
    ~outbound();
    outbound(const outbound&) = delete;
    outbound& operator=(const outbound&) = delete;

    // How lines pushed from now on are framed.
    void set_framing(framing f) { framing_ = f; }

    // A line that ends with a newline, framed together with its neighbours when it is written.
    void push_line(shared_bytes line, counts how = counts::as_live);
    // Bytes that stand for themselves, behind everything that waits. `prefix` (at most 14 bytes) goes before
    // them.
    void push_raw(shared_bytes bytes, std::string_view prefix = {}, counts how = counts::as_live);
    void push_raw(std::string bytes, counts how = counts::as_live);
    // As push_raw, but before the lines that have not yet begun to be written: pongs, close frames.
    void push_control(std::string_view bytes);

    // Forgets the lines that are not part of a frame that has begun, and tells how many there were.
    std::size_t drop_lines();

    // Whether more waits than may.
    bool overflows() const;
    bool empty() const { return next_ == chunks_.size(); }

    // One or a few non-blocking gathered writes, up to turn_bytes_max.
    written write_to(int socket);

private:
    struct chunk;
    friend class outbound_storage;

    void push(chunk&& c);
    std::size_t& count_of(const chunk& c);
    void frame_waiting();
    void frame_batch(std::size_t end, std::size_t bytes);
    std::size_t gather(iovec* parts, std::size_t& count) const;
    void consume(std::size_t bytes);
    void tidy();

    std::vector<chunk> chunks_;
    outbound_storage* storage_;
    std::size_t bytes_ = 0;         // that wait, without framing: live
    std::size_t replay_bytes_ = 0;  // ... replayed
    std::uint32_t next_ = 0;        // the first chunk that is not wholly written
    std::uint32_t framed_ = 0;      // chunks before this one have their framing
    std::uint32_t offset_ = 0;      // bytes of chunk next_ that are written, framing included
    framing framing_ = framing::none;
};

struct outbound::chunk {
    shared_bytes body;
    std::array<char, 14> prefix;
    std::uint8_t prefix_size = 0;
    bool ends_event = false;  // a newline follows the body
    counts how = counts::as_live;

    std::size_t size() const { return prefix_size + body->size() + (ends_event ? 1 : 0); }
    void set_prefix(std::string_view bytes);
};

class outbound_storage {
public:
    // `bounds` outlives the storage, the storage its queues.
    explicit outbound_storage(const shell_limits& bounds) : bounds_(bounds) {}

    const shell_limits& bounds() const { return bounds_; }
    std::vector<outbound::chunk> take();
    void give_back(std::vector<outbound::chunk>&& chunks);

private:
    static constexpr std::size_t kept_max = 1'024;         // vectors; beyond: freed
    static constexpr std::size_t kept_capacity_max = 256;  // chunks of one vector; beyond: freed
    std::vector<std::vector<outbound::chunk>> kept_;
    const shell_limits& bounds_;
};

}  // namespace pulsewire::shell
