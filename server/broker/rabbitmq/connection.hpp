#pragma once

// One connection to one server of a RabbitMQ: its socket, its login, and signs of life in both directions.
// What its channels say is its user's business.

#include "server/broker/rabbitmq/address.hpp"
#include "server/broker/rabbitmq/amqp.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace pulsewire::shell::rabbitmq {

// A server that says nothing for so long is dead: it was asked for a sign of life every second.
inline constexpr std::chrono::milliseconds patience{3'000};

// What all connections of a broker share. Outlives them.
struct dialer {
    boost::asio::io_context& loop;
    const address& broker;
    boost::asio::ssl::context* tls;  // null: no TLS
};

// Ends with its first failure and does not come back: to connect again is its owner's business. All calls are
// made on the thread of the loop, and all functions are called on it, never from within a call.
class connection : public std::enable_shared_from_this<connection> {
public:
    struct listener {
        std::function<void()> on_ready;
        // A frame of a channel that is open. Its views are good until the return.
        std::function<void(const amqp_frame_t&)> on_frame;
        // All frames of one read were given.
        std::function<void()> on_pause;
        // The connection has ended. Gets one sentence, without a password.
        std::function<void(const std::string& reason)> on_failure;
    };

    // Tries the servers of the address one after the other, from that one on, until one takes the connection.
    // Shared, because an operation of the loop may be under way when the owner lets go.
    static std::shared_ptr<connection> open(const dialer& from, std::size_t first_host, listener heard);
    connection(const dialer& from, std::size_t first_host, listener heard);

    // The rest is for a connection that is ready.

    // Whether that number is in use, also by a channel whose end the server has not confirmed.
    bool has_channel(amqp_channel_t channel) const { return channels_.contains(channel); }
    amqp_channel_t channel_max() const { return channel_max_; }
    void open_channel(amqp_channel_t channel);
    // Nothing more comes of it. Does nothing for a channel that the server has closed.
    void close_channel(amqp_channel_t channel);

    // What is sent in one turn of the loop leaves in one write.
    void send(amqp_channel_t channel, amqp_method_number_t id, auto method) {
        append_method(waiting_, channel, id, &method);
        schedule_write();
    }
    void send(amqp_channel_t channel, const message& what) {
        append_message(waiting_, channel, what, frame_bytes_max_);
        schedule_write();
    }
    bool is_ready() const { return is_ready_; }
    // "the RabbitMQ at host:port", for sentences.
    std::string name() const;
    // Ends the connection. No function is called any more.
    void close();

private:
    using tcp = boost::asio::ip::tcp;
    using error_code = boost::system::error_code;
    enum class channel_state : std::uint8_t { open, closing };

    void dial();
    void dial_next(std::string reason);
    void on_resolved(const error_code& error, const tcp::resolver::results_type& found);
    void on_connected(const error_code& error);
    void on_encrypted(const error_code& error);
    void greet();
    void read();
    void on_read(const error_code& error, std::size_t bytes);
    void on_frame(const amqp_frame_t& frame);
    void on_own_method(const amqp_method_t& method);
    void on_channel_frame(const amqp_frame_t& frame);
    void log_in(const amqp_connection_start_t& start);
    void tune(const amqp_connection_tune_t& tune);
    void schedule_write();
    void write();
    void watch();
    void on_watch();
    void fail(std::string reason);
    void end();
    const endpoint& to() const;

    boost::asio::io_context& loop_;
    const address& where_;
    std::size_t host_;
    std::size_t tried_ = 0;
    listener heard_;
    tcp::resolver resolver_;
    tcp::socket socket_;
    std::optional<boost::asio::ssl::stream<tcp::socket&>> tls_;
    boost::asio::steady_timer timer_;
    std::chrono::steady_clock::time_point progress_;     // the last byte that came, or step that was made
    std::chrono::steady_clock::time_point alive_;        // the last sign of life of ours
    const char* missing_ = "its name was not resolved";  // before it is ready, for a sentence
    bool is_connected_ = false;
    bool has_heard_ = false;  // any frame
    bool has_logged_in_ = false;
    bool is_ready_ = false;
    bool ended_ = false;
    bool write_scheduled_ = false;
    amqp_channel_t channel_max_ = 0;
    std::map<amqp_channel_t, channel_state> channels_;
    std::size_t frame_bytes_max_ = frame_bytes_usual;
    std::string waiting_;  // to be sent
    std::string writing_;  // by the kernel, at this moment
    frame_reader frames_;
    std::array<char, 64 * 1024> buffer_;
};

// What the server says, as a part of a sentence: at most 300 bytes, '?' for what a log cannot show.
std::string said(const amqp_bytes_t& text);

}  // namespace pulsewire::shell::rabbitmq
