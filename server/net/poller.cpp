#include "server/net/poller.hpp"

#include <sys/epoll.h>

#include <cerrno>
#include <chrono>
#include <system_error>
#include <utility>

namespace pulsewire::shell {
namespace {

// Sockets that are told of at once. Those that come behind them have their turn first the next time.
constexpr int events_at_once = 32;
// So many of them, or this long, before the loop writes what they led to. A handshake of TLS takes 0.25 ms.
constexpr int events_per_turn = 128;
constexpr auto turn_max = std::chrono::milliseconds(5);

[[noreturn]] void fail(const char* what) {
    throw std::system_error(errno, std::generic_category(), what);
}

int new_epoll() {
    const int descriptor = ::epoll_create1(EPOLL_CLOEXEC);
    if (descriptor < 0) fail("cannot watch sockets");
    return descriptor;
}

}  // namespace

poller::poller(boost::asio::io_context& loop, listener on_ready)
    : epoll_(loop.get_executor(), new_epoll()), on_ready_(std::move(on_ready)) {
    wait();
}

void poller::wait() {
    epoll_.async_wait(decltype(epoll_)::wait_read, [this](const boost::system::error_code& error) {
        if (error) return;
        tell_ready();
        wait();
    });
}

void poller::tell_ready() {
    const auto begin = std::chrono::steady_clock::now();
    for (int told = 0; told < events_per_turn; told += events_at_once) {
        epoll_event events[events_at_once];
        const int count = ::epoll_wait(epoll_.native_handle(), events, events_at_once, 0);
        for (int i = 0; i < count; ++i) {
            const std::uint32_t what = events[i].events;
            on_ready_(
                events[i].data.u64,
                {(what & EPOLLIN) != 0, (what & EPOLLOUT) != 0, (what & (EPOLLHUP | EPOLLERR)) != 0}
            );
        }
        if (count < events_at_once || std::chrono::steady_clock::now() - begin >= turn_max) return;
    }
}

void poller::control(int operation, int socket, std::uint64_t id, interest in) {
    epoll_event event{};
    event.events = (in.reads ? EPOLLIN : 0u) | (in.writes ? EPOLLOUT : 0u);
    event.data.u64 = id;
    if (::epoll_ctl(epoll_.native_handle(), operation, socket, &event) != 0) fail("cannot watch a socket");
}

void poller::add(int socket, std::uint64_t id, interest in) {
    control(EPOLL_CTL_ADD, socket, id, in);
}

void poller::change(int socket, std::uint64_t id, interest in) {
    control(EPOLL_CTL_MOD, socket, id, in);
}

}  // namespace pulsewire::shell
