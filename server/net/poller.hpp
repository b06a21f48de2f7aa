#pragma once

// Tells which of a shard's sockets can be read or written: an epoll instance of their own, for which the loop
// waits as for one descriptor. A socket stays watched until it is closed, where Asio asks the kernel anew for
// each wait, and keeps a block for each (docs/decisions/0011).

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>

#include <sys/epoll.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>

namespace pulsewire::shell {

class poller {
public:
    struct readiness {
        bool reads = false;  // or the peer has ended
        bool writes = false;
        bool broken = false;  // reset, or both ends have ended; whatever was asked for
    };
    // The events to wait for, for as long as this stays set.
    struct interest {
        bool reads = false;
        bool writes = false;
        friend bool operator==(const interest&, const interest&) = default;
    };
    // Throws nothing.
    using listener = std::function<void(std::uint64_t id, readiness what)>;

    // `loop` outlives the poller. After `turn_max` the loop writes what the sockets led to, before the others
    // are told of. Throws std::system_error where the process may open no more descriptors.
    poller(boost::asio::io_context& loop, listener on_ready, std::chrono::milliseconds turn_max);

    // Watches a socket until it is closed; `id` names it, which may be closed already when it is called.
    // Throws std::system_error where the kernel has no room for it.
    void add(int socket, std::uint64_t id, interest in);
    void change(int socket, std::uint64_t id, interest in);

private:
    void wait();
    void tell_ready();
    void look();
    void control(int operation, int socket, std::uint64_t id, interest in);

    boost::asio::posix::basic_stream_descriptor<boost::asio::io_context::executor_type> epoll_;
    listener on_ready_;
    std::chrono::milliseconds turn_max_;
    // The last answer of the kernel; from next_ to count_ nobody was told of yet.
    std::array<epoll_event, 32> events_;
    std::size_t next_ = 0, count_ = 0;
};

}  // namespace pulsewire::shell
