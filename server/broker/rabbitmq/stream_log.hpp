#pragma once

// The log of one partition, opened once: a stream of its own, whose offsets have small holes only, where the
// server has entries of its own; a larger one was trimmed. It has one channel on the connection for appends
// and one, of the same number, on the connection for reading.
//
// AMQP does not tell where a stream ends. So opening appends a void entry, an empty message with an id of its
// own, and reads from the newest entries on until that comes; then a little before it for the last record,
// and the beginning for the first. Readers pass over void entries.
//
// Told as closed: settings that lose records, an offset that jumps, a refusal, a consumer that the server
// ends, and an append that is not confirmed for three seconds.

#include "common/cluster/broker_port.hpp"
#include "server/broker/rabbitmq/address.hpp"
#include "server/broker/rabbitmq/amqp.hpp"
#include "server/broker/rabbitmq/connection.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace pulsewire::shell::rabbitmq {

// From open_log to `opened`.
inline constexpr std::chrono::milliseconds opening_time_max{4'500};
// Records that the server has not confirmed; the next ones wait here.
inline constexpr std::size_t window_records_max = 1'000;
inline constexpr std::size_t window_bytes_max = std::size_t{4} << 20;
// Entries that the server sends ahead of what was acknowledged.
inline constexpr std::uint16_t prefetch = 200;

class stream_log {
public:
    using time_point = std::chrono::steady_clock::time_point;
    struct listener {
        std::function<void(cluster::from_broker)> on_value;
        // That many bytes of its appends need no memory any more.
        std::function<void(std::size_t)> on_freed;
    };
    // `where` outlives it. `id` is of this opening alone, among all nodes.
    stream_log(
        const address& where, cluster::partition_index partition, const cluster::open_log& what,
        std::string id, time_point now, listener heard
    );
    // Frees what waits.
    ~stream_log();
    stream_log(const stream_log&) = delete;
    stream_log& operator=(const stream_log&) = delete;

    // Both connections are ready, and outlive it.
    void begin(connection& appending, connection& reading, amqp_channel_t channel);
    // Also before `opened`: then they wait.
    void append(std::string bytes, time_point now);
    // Removes nothing: logs a sentence when the stream keeps hardly what nodes need, from this one on.
    void trim(cluster::mark before);
    // Tells nobody, and gives its channels back.
    void end();
    // Tells `closed`, once.
    void fail(std::string reason);

    cluster::log_connection number() const { return number_; }
    amqp_channel_t channel() const { return channel_; }  // 0: not begun
    bool is_closed() const { return closed_; }

    // A frame of its channel, of the one connection or the other.
    void on_append_frame(const amqp_frame_t& frame, time_point now);
    void on_read_frame(const amqp_frame_t& frame);
    // Acknowledges what was read since the last time.
    void acknowledge();
    void on_time(time_point now);

private:
    // An entry of the stream, in the order of its frames.
    struct entry {
        bool is_current = false;  // of the present consumer
        std::uint64_t offset = 0;
        bool has_offset = false;
        std::uint64_t size = 0;
        std::string id;
        std::string bytes;
    };
    enum class phase : std::uint8_t {
        declaring,      // the stream; nothing is read
        finding_end,    // the void entry of this opening
        finding_last,   // the last record before it
        finding_first,  // the first record of all
        following
    };

    void declare();
    void consume(phase next, const amqp_table_entry_t& from);
    void consume_at(phase next, std::uint64_t offset);
    void on_consuming();
    void on_header(const amqp_frame_t& frame);
    void take(entry& taken);
    void look_at(const entry& seen);
    void on_end_found();
    void look_back(std::uint64_t count);
    void on_looked_back();
    void open();
    void follow(entry& next);
    void count(std::uint64_t offset, std::size_t bytes);
    void on_confirm(std::uint64_t tag, bool multiple, time_point now);
    void publish(std::string_view id, std::string_view bytes, time_point now);
    void pump(time_point now);
    void free_appends();
    void lose(const std::string& what);
    void tell(auto&& what);

    const address& where_;
    const cluster::partition_index partition_;
    const cluster::log_connection number_;
    const cluster::mark from_;
    const std::string id_;
    const std::string queue_;
    listener heard_;
    const time_point opening_since_;
    connection* appending_ = nullptr;
    connection* reading_ = nullptr;
    amqp_channel_t channel_ = 0;
    bool closed_ = false;

    // Reading.
    phase phase_ = phase::declaring;
    std::string consumer_;  // the tag of the present one
    std::uint64_t consumers_ = 0;
    entry read_;  // the one whose frames come
    std::uint64_t delivered_ = 0;
    std::uint64_t acknowledged_ = 0;
    std::uint64_t end_ = 0;                   // offset of the void entry of this opening
    std::uint64_t looked_back_ = 0;           // entries before it that were asked for
    std::optional<std::uint64_t> seen_from_;  // offset of the consumer's first entry
    std::optional<std::uint64_t> first_;      // offset of the first record among those seen
    std::optional<std::uint64_t> last_;       // of the last one
    std::uint64_t next_ = 0;                  // offset of the entry that is read next

    // What nodes need of what the stream keeps.
    struct milestone {
        std::uint64_t offset = 0;
        std::uint64_t bytes = 0;  // read before it
    };
    std::deque<milestone> milestones_;  // one for each megabyte that was read, keep_mb of them at most
    std::uint64_t read_bytes_ = 0;
    bool has_warned_ = false;

    // Appending.
    struct sent_entry {
        std::size_t bytes = 0;  // 0: void
        time_point at;
        bool is_confirmed = false;
    };
    std::deque<std::string> waiting_;
    std::deque<sent_entry> sent_;
    std::size_t waiting_bytes_ = 0;
    std::size_t sent_bytes_ = 0;
    std::uint64_t published_ = 0;  // tag of the entry that was published last
};

}  // namespace pulsewire::shell::rabbitmq
