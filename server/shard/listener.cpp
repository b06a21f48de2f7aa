#include "server/shard/listener.hpp"

#include "server/log.hpp"
#include "server/shard/shard_port.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/v6_only.hpp>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <stdexcept>
#include <string>
#include <utility>

namespace pulsewire::shell {
namespace {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;

// The kernel's queue of connections that nobody has accepted yet; it cuts the number to net.core.somaxconn.
constexpr int backlog = 4'096;

tcp::endpoint endpoint_of(const std::string& address, std::uint16_t port) {
    boost::system::error_code error;
    const auto parsed = asio::ip::make_address(address == "localhost" ? "127.0.0.1" : address, error);
    if (error) {
        throw std::runtime_error(
            "cannot listen on \"" + address +
            "\": it is not an IP address. Use one of this machine's addresses, "
            "127.0.0.1 for this machine alone, or 0.0.0.0 for all networks."
        );
    }
    return {parsed, port};
}

[[noreturn]] void cannot_listen(const tcp::endpoint& where, const boost::system::error_code& error) {
    const std::string place = where.address().to_string() + " port " + std::to_string(where.port());
    std::string advice;
    if (error == asio::error::address_in_use) {
        advice =
            ": another program listens there. Stop it, or choose another port with --port (0 takes any free "
            "one).";
    } else if (error == asio::error::access_denied) {
        advice =
            ": ports below 1024 need a privilege. Choose a higher port with --port, or give the program the "
            "capability CAP_NET_BIND_SERVICE.";
    } else if (error.value() == EADDRNOTAVAIL) {
        advice = ": this machine does not have that address. Choose one of its own with --address.";
    } else {
        advice = ": " + error.message() + ".";
    }
    throw std::runtime_error("cannot listen on " + place + advice);
}

template <class Acceptor>
void bind_to(Acceptor& acceptor, const tcp::endpoint& where, boost::system::error_code& error) {
    acceptor.open(where.protocol(), error);
    if (!error) acceptor.set_option(asio::socket_base::reuse_address(true), error);
    if (!error && where.address().is_v6()) {
        boost::system::error_code ignored;  // where the system has no such choice, the address decides alone
        acceptor.set_option(asio::ip::v6_only(false), ignored);
    }
}

}  // namespace

void check_free(const std::string& address, std::uint16_t port) {
    if (port == 0) return;
    const tcp::endpoint where = endpoint_of(address, port);
    asio::io_context none;
    tcp::acceptor probe(none);
    boost::system::error_code error;
    bind_to(probe, where, error);
    if (!error) probe.bind(where, error);
    if (error) cannot_listen(where, error);
}

tcp_acceptor listen_on(asio::io_context& loop, const std::string& address, std::uint16_t port) {
    const tcp::endpoint where = endpoint_of(address, port);
    tcp_acceptor acceptor(loop);
    boost::system::error_code error;
    bind_to(acceptor, where, error);
    const int on = 1;
    if (!error && ::setsockopt(acceptor.native_handle(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0)
        error = {errno, boost::system::system_category()};
    if (!error) acceptor.bind(where, error);
    if (!error) acceptor.listen(backlog, error);
    if (!error) acceptor.non_blocking(true, error);
    if (error) cannot_listen(where, error);
    return acceptor;
}

listener::listener(shard_port& home, tcp_acceptor&& acceptor)
    : home_(home),
      acceptor_(std::move(acceptor)),
      pause_(home.loop()),
      reserve_(::open("/dev/null", O_RDONLY | O_CLOEXEC)) {}

listener::~listener() {
    if (reserve_ >= 0) ::close(reserve_);
}

void listener::start() {
    wait();
}

void listener::stop() {
    boost::system::error_code ignored;  // the descriptor is released in any case
    acceptor_.close(ignored);
    pause_.cancel();
}

void listener::wait() {
    acceptor_.async_wait(tcp_acceptor::wait_read, [this](const boost::system::error_code& error) {
        if (!acceptor_.is_open()) return;
        if (error) return on_error(error.value());
        accept_some();
    });
}

void listener::accept_some() {
    // Whoever is accepted has mostly sent a request, which may ask for much.
    const time_slice slice = home_.new_slice();
    for (std::uint32_t i = 0; i < home_.bounds().accepts_per_turn; ++i) {
        if (!accept_one()) return;
        if (slice.is_over()) break;
    }
    wait();
}

// False when the loop ends: nothing more waits, or an error that is dealt with.
bool listener::accept_one() {
    const int accepted = ::accept4(acceptor_.native_handle(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (accepted >= 0) {
        told_ = false;
        home_.accepted(tcp_socket(accepted));
        return true;
    }
    switch (errno) {
        case EAGAIN:
            wait();
            return false;
        case ECONNABORTED:  // the client was gone before we came to it
        case EINTR:
            return true;
        default:
            on_error(errno);
            return false;
    }
}

void listener::on_error(int error) {
    ++home_.metrics().accept_errors;
    if (!told_) {
        log::warning(
            "accepting connections pauses: ", std::strerror(error),
            ". Raise the limit of open files or lower connections_max."
        );
        told_ = true;
    }
    if ((error == EMFILE || error == ENFILE) && reserve_ >= 0) {
        ::close(reserve_);
        const int refused =
            ::accept4(acceptor_.native_handle(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (refused >= 0) ::close(refused);
        reserve_ = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    }
    back_off();
}

void listener::back_off() {
    pause_.expires_after(std::chrono::milliseconds(home_.bounds().accept_backoff_ms));
    pause_.async_wait([this](const boost::system::error_code& error) {
        if (error || !acceptor_.is_open()) return;
        if (reserve_ < 0) reserve_ = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
        accept_some();
    });
}

}  // namespace pulsewire::shell
