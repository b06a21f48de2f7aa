#pragma once

// One connection to one Redis: commands are sent at once and answered in their order.

#include "server/broker/redis/address.hpp"
#include "server/broker/redis/resp.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>

#include <array>
#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace pulsewire::shell::redis {

// A connection that waits for something and has got no byte for so long is dead.
inline constexpr std::chrono::milliseconds patience{3'000};
// Bytes of commands that wait for the kernel; beyond, the connection fails: the broker takes less than it is
// given.
inline constexpr std::size_t unsent_bytes_max = std::size_t{16} << 20;

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
    using on_ready = std::function<void()>;
    using on_reply = std::function<void(reply&&)>;
    // Gets one sentence, without a password.
    using on_failure = std::function<void(const std::string& reason)>;

    // A sentinel often has no password where its servers have one: it may refuse ours.
    enum class login : std::uint8_t { required, may_be_refused };

    // Shared, because an operation of the loop may be under way when the owner lets go.
    static std::shared_ptr<connection> open(
        const dialer& from, endpoint to, login how, on_ready ready, on_failure failed
    );
    connection(const dialer& from, endpoint to, login how, on_ready ready, on_failure failed);

    // Does nothing after the end. A command that the server may leave unanswered for some time says so.
    void send(
        std::span<const std::string_view> words, on_reply answered,
        std::chrono::milliseconds may_block = std::chrono::milliseconds{0}
    );
    void send(std::initializer_list<std::string_view> words, on_reply answered) {
        send(std::span(words.begin(), words.size()), std::move(answered));
    }
    std::size_t unsent_bytes() const { return waiting_.size() + writing_.size(); }
    // Ends the connection as broken, for a reason that its user has found.
    void fail(std::string reason);
    // Ends the connection. No function is called any more.
    void close();

    // "the Redis at host:port", for sentences.
    std::string name() const;

private:
    using tcp = boost::asio::ip::tcp;
    using error_code = boost::system::error_code;
    struct awaited {
        on_reply answered;
        std::chrono::milliseconds may_block;
    };

    void start();
    void on_resolved(const error_code& error, const tcp::resolver::results_type& found);
    void on_connected(const error_code& error);
    void on_encrypted(const error_code& error);
    void log_in();
    void on_logged_in(reply_view answer);
    void read();
    void on_read(const error_code& error, std::size_t bytes);
    void schedule_write();
    void write();
    void on_written(const error_code& error);
    void watch();
    void on_watch();
    void end();

    boost::asio::io_context& loop_;
    endpoint to_;
    login login_;
    std::string user_;
    std::string password_;
    on_ready ready_;
    on_failure failed_;
    tcp::resolver resolver_;
    tcp::socket socket_;
    std::optional<boost::asio::ssl::stream<tcp::socket&>> tls_;
    boost::asio::steady_timer timer_;
    std::chrono::steady_clock::time_point progress_;  // the last byte, or since when something is waited for
    const char* missing_ = "its name was not resolved";  // before it is connected, for a sentence
    bool connected_ = false;
    bool has_heard_ = false;  // anything at all
    bool ended_ = false;
    bool write_scheduled_ = false;
    std::string waiting_;  // commands
    std::string writing_;  // by the kernel, at this moment
    std::deque<awaited> awaited_;
    reply_reader replies_;
    std::array<char, 64 * 1024> buffer_;
};

}  // namespace pulsewire::shell::redis
