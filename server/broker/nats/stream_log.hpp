#pragma once

// The log of one partition, opened once: a stream of its own with one subject, so that its sequences have no
// holes, and whatever is missing was trimmed or lost. Records are pulled, a bounded number of bytes at a
// time, by a consumer that acknowledges nothing; appends go to the subject, a window at a time, and are
// answered in their order.
//
// Told as closed: settings that lose records, a sequence that jumps or goes back, an answer or a sign of life
// that stays away for three seconds, and any refusal.

#include "common/cluster/broker_port.hpp"
#include "server/broker/nats/connection.hpp"
#include "server/broker/nats/jetstream.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>

namespace pulsewire::shell::nats {

// From open_log to `opened`.
inline constexpr std::chrono::milliseconds opening_time_max{4'500};
// Records that the server has not answered; the next ones wait here. Newer servers refuse more than 10,000.
inline constexpr std::size_t window_records_max = 1'000;
inline constexpr std::size_t window_bytes_max = std::size_t{4} << 20;
// What one request for records may bring: at least one record of the largest size, with its head.
inline constexpr std::size_t pull_records = 500;
inline constexpr std::size_t pull_bytes = std::size_t{1} << 20;
inline constexpr std::chrono::seconds pull_time{30};

class stream_log {
public:
    using time_point = std::chrono::steady_clock::time_point;
    struct listener {
        std::function<void(cluster::from_broker)> on_value;
        // That many bytes of its appends need no memory any more.
        std::function<void(std::size_t)> on_freed;
    };
    // `where` outlives it.
    stream_log(
        const address& where, cluster::partition_index partition, const cluster::open_log& what,
        time_point now, listener heard
    );
    // Frees what waits.
    ~stream_log();
    stream_log(const stream_log&) = delete;
    stream_log& operator=(const stream_log&) = delete;

    // The connection is ready, and outlives it.
    void begin(connection& to, time_point now);
    // Also before begin(), and before `opened`: then they wait.
    void append(std::string bytes, time_point now);
    void trim(cluster::mark before);
    // The server may forget the consumer.
    void end();
    // Tells `closed`, once. Says nothing to the server, which may be what is broken.
    void fail(std::string reason);

    cluster::log_connection number() const { return number_; }
    bool is_closed() const { return closed_; }

    // An answer to a request of this log: what was asked, by its letter, and which of them.
    void on_answer(char what, std::uint64_t which, const delivery& answer, time_point now);
    void on_record(const record_place& place, std::string_view bytes, time_point now);
    void on_time(time_point now);

private:
    void lose(std::string reason);
    void ask(char what, std::uint64_t which, const std::string& subject, std::string_view body);
    void on_stream(std::string_view reply, time_point now);
    void on_created(std::string_view reply, time_point now);
    void on_consumer(std::string_view reply, time_point now);
    void on_appended(std::uint64_t which, std::string_view reply, time_point now);
    void pull(time_point now);
    void pump(time_point now);
    void free_appends();
    void tell(auto&& what);

    const address& where_;
    const cluster::partition_index partition_;
    const cluster::log_connection number_;
    const cluster::mark from_;
    const stream_wish wish_;
    listener heard_;
    const time_point opening_since_;
    connection* to_ = nullptr;
    std::string consumer_;
    bool closed_ = false;
    bool was_created_ = false;  // by this log, or by another node in the meantime
    std::optional<stream_found> found_;
    bool is_open_ = false;

    // Following.
    std::uint64_t next_ = 0;  // sequence of the record to be read next
    std::uint64_t pulls_ = 0;
    std::size_t pulled_ = 0;  // records that the present pull has brought
    time_point heard_at_;     // anything of the consumer

    // Appending.
    struct sent_record {
        std::size_t bytes = 0;
        time_point at;
    };
    std::deque<std::string> waiting_;
    std::deque<sent_record> sent_;
    std::size_t waiting_bytes_ = 0;
    std::size_t sent_bytes_ = 0;
    std::uint64_t sent_count_ = 0;
    std::uint64_t appended_ = 0;  // the sequence that was answered last
};

}  // namespace pulsewire::shell::nats
