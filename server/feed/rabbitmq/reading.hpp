#pragma once

// Reads a queue of RabbitMQ for a feed, over AMQP 0.9.1. Makes nothing at the broker: the queue is its
// writers'.
//
// One reader at a time: the consumer is exclusive, so the server refuses a second one, which asks again each
// second. Only classic queues do so; others are refused here. What a reader that is gone had not acknowledged
// goes back to its place in the queue.

#include "server/broker/rabbitmq/connection.hpp"
#include "server/config.hpp"
#include "server/feed/reading.hpp"

#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace pulsewire::shell::feed {

// A larger record is not kept in memory; it is a bad one.
inline constexpr std::size_t rabbitmq_record_bytes_max = std::size_t{1} << 20;

class rabbitmq_reading final : public reading {
public:
    // All outlive it.
    rabbitmq_reading(const rabbitmq::dialer& from, const consume_settings& of, ticket& last, listener heard);
    ~rabbitmq_reading() override;

    void set_room(std::size_t) override {}
    void acknowledge(ticket number) override;
    void bury(const record& bad, const std::string& reason) override;
    void release(std::function<void()> done) override;

private:
    using clock = std::chrono::steady_clock;
    // The record whose frames come.
    struct arriving {
        std::uint64_t tag = 0;
        std::uint64_t size = 0;
        record what;
    };
    struct burial {
        ticket number = 0;
        clock::time_point since;
    };

    void on_ready();
    void take_over();
    void consume(amqp_channel_t channel);
    void on_frame(const amqp_frame_t& frame);
    void on_method(amqp_channel_t channel, const amqp_method_t& method);
    void on_record_method(const amqp_method_t& method);
    void on_header(const amqp_frame_t& frame);
    void on_body(std::string_view part);
    void on_refused(const amqp_channel_close_t& why);
    void begin();
    void give();
    void open_burials();
    void on_burial_method(const amqp_method_t& method);
    void on_buried(std::uint64_t tag, bool multiple, const std::string& refused);
    void end_burials(
        const std::function<bool(std::uint64_t tag, const burial&)>& which, const std::string& refused
    );
    void on_time();
    void lose(std::string reason);
    std::string queue() const;

    const consume_settings& of_;
    ticket& last_;
    listener heard_;
    const std::string nonce_;  // of the positions of records without an id
    arriving read_;
    std::map<ticket, std::uint64_t> tags_;     // of what was given, to acknowledge it
    std::map<std::uint64_t, burial> burials_;  // by their numbers on the channel, which the server confirms
    std::uint64_t last_burial_ = 0;
    std::string returned_;  // why the server returned the burial whose answer comes next; empty: it did not
    std::function<void()> released_;
    bool asks_ = false;  // to be the one that reads
    bool is_reading_ = false;
    bool is_lost_ = false;
    bool has_warned_ = false;  // of records without an id
    boost::asio::steady_timer timer_;
    const std::shared_ptr<rabbitmq::connection> connection_;
    // Ends with the object: a timer that has expired calls even when it was destroyed since.
    const std::shared_ptr<const bool> alive_ = std::make_shared<const bool>(true);
};

}  // namespace pulsewire::shell::feed
