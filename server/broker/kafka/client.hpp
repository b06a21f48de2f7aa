#pragma once

// What librdkafka has for one connection to a cluster: a producer, a consumer, and a thread for the questions
// that the library answers only to those who wait. Ends with its first broken connection and does not come
// back: to connect again is its owner's business.

#include "common/base/result.hpp"
#include "common/cluster/broker_port.hpp"
#include "server/broker/kafka/connection_guard.hpp"
#include "server/broker/kafka/library.hpp"
#include "server/broker/kafka/settings.hpp"
#include "server/broker/kafka/topic_opening.hpp"

#include <boost/asio/io_context.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

namespace pulsewire::shell::kafka {

// From the first step of a client until it is ready.
inline constexpr std::chrono::milliseconds opening_time_max{4'000};

// Of a log: the offset of its first record, and the one that its next record will have.
struct extent {
    std::int64_t first = 0;
    std::int64_t end = 0;
};

// Calls are made on the thread of the loop, and all functions are called on it, never from within a call.
class client {
public:
    using partition_index = cluster::partition_index;
    using log_connection = cluster::log_connection;

    struct listener {
        std::function<void(const opened_topic&)> on_ready;
        std::function<void(partition_index, log_connection, const result<extent, std::string>&)> on_extent;
        std::function<void(partition_index, log_connection)> on_appended;
        std::function<void(partition_index, log_connection, std::int64_t offset, std::string_view bytes)>
            on_record;
        // One log is of no use any more, for that connection to it.
        std::function<void(partition_index, log_connection, std::string reason)> on_lost;
        // Nor is anything else. Called once, and nothing after it.
        std::function<void(std::string reason)> on_broken;
    };
    // Begins to connect. The loop and `options` outlive it.
    client(boost::asio::io_context& loop, const client_options& options, listener heard);
    // May wait for the brokers and for the resolution of names: not for the thread of the loop, once stop()
    // was called there.
    ~client();
    client(const client&) = delete;
    client& operator=(const client&) = delete;

    // Calls nobody any more, and connects to nobody.
    void stop();

    // The rest is for a client that is ready.

    // Asks for what the log holds; its answer also says that there is a connection for appends.
    void ask_extent(partition_index partition, log_connection connection);
    void append(partition_index partition, log_connection connection, std::string_view bytes);
    // Reads from the record with that offset on.
    void follow(partition_index partition, log_connection connection, std::int64_t offset);
    void unfollow(partition_index partition);
    // Removes the records before that offset; what fails is logged.
    void trim(partition_index partition, std::int64_t before);

    // "the Kafka at host:port", for sentences.
    std::string name() const;

private:
    std::string make_handles();
    void work();
    result<opened_topic, std::string> open();
    result<extent, std::string> read_extent(partition_index partition);
    void answer(partition_index partition, log_connection connection);
    void post(std::function<void()> what);
    void schedule_events();
    void take_events();
    void take(rd_kafka_event_t* event);
    void take_report(const rd_kafka_message_t& appended);
    void take_record(const rd_kafka_message_t& record);
    void take_error(rd_kafka_event_t* event);
    void take_trim(rd_kafka_event_t* event);
    void lose_followed(partition_index partition, const std::string& reason);
    void break_now(const std::string& reason);
    bool goes_on() const;

    boost::asio::io_context& loop_;
    const client_options& options_;
    listener heard_;
    connection_guard guard_;

    // In the order in which the library wants them to be made.
    handle_ptr producer_;
    handle_ptr consumer_;
    queue_ptr reports_;   // of the producer: appends, trims, errors
    queue_ptr troubles_;  // of the consumer
    queue_ptr records_;
    topic_ptr appended_to_;
    topic_ptr read_from_;
    std::map<partition_index, log_connection> followed_;

    bool has_refused_ = false;    // a record, and is about to be broken
    std::size_t turn_bytes_ = 0;  // of the records of this turn
    std::string last_error_;      // what the library said last about a connection
    std::atomic<bool> is_scheduled_ = false;
    // When all brokers were unreachable at first; {}: not yet.
    std::atomic<std::chrono::steady_clock::time_point> unreachable_since_{};

    std::mutex lock_;
    std::condition_variable asked_;
    std::map<partition_index, log_connection> questions_;  // lock_
    bool ends_ = false;                                    // lock_
    // Of the thread of the loop; shared with what other threads have posted there, which may come too late.
    const std::shared_ptr<bool> is_stopped_ = std::make_shared<bool>(false);
    std::thread worker_;
};

}  // namespace pulsewire::shell::kafka
