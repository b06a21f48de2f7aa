#pragma once

// Accepts connections for one shard, a bounded number each turn of its loop. An error never ends the
// listening: it pauses, and what cannot be kept is told so and closed.

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstdint>

namespace pulsewire::shell {

class shard_port;

using tcp_acceptor =
    boost::asio::basic_socket_acceptor<boost::asio::ip::tcp, boost::asio::io_context::executor_type>;

class listener {
public:
    // The acceptor is bound and listening. `home` outlives the listener.
    listener(shard_port& home, tcp_acceptor&& acceptor);
    ~listener();
    listener(const listener&) = delete;
    listener& operator=(const listener&) = delete;

    void start();
    void stop();

private:
    void wait();
    void accept_some();
    bool accept_one();
    void on_error(int error);
    void back_off();

    shard_port& home_;
    tcp_acceptor acceptor_;
    boost::asio::steady_timer pause_;
    // Given up for a moment when the process has no descriptors left, to take a connection and close it:
    // otherwise it would stay in the kernel's queue, and its client would wait without an answer.
    int reserve_ = -1;
    bool told_ = false;  // the log knows of the current shortage
};

// Binds and listens, so that several acceptors, one for each shard, can share the port. Throws
// std::runtime_error with a sentence for the operator.
tcp_acceptor listen_on(boost::asio::io_context& loop, const std::string& address, std::uint16_t port);

// Whether another process listens on the address already; port sharing would hide it. Throws as listen_on().
void check_free(const std::string& address, std::uint16_t port);

}  // namespace pulsewire::shell
