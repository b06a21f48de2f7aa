#include "server/net/poller.hpp"

#include "server/base/time_slice.hpp"

#include <sys/epoll.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

namespace pulsewire::shell {
namespace {

// So many sockets, or turn_max, before the loop writes what they led to.
constexpr int events_per_turn = 128;

[[noreturn]] void fail(const char* what) {
    throw std::system_error(errno, std::generic_category(), what);
}

int new_epoll() {
    const int descriptor = ::epoll_create1(EPOLL_CLOEXEC);
    if (descriptor < 0) fail("cannot watch sockets");
    return descriptor;
}

}  // namespace

poller::poller(boost::asio::io_context& loop, listener on_ready, std::chrono::milliseconds turn_max)
    : epoll_(loop.get_executor(), new_epoll()), on_ready_(std::move(on_ready)), turn_max_(turn_max) {
    wait();
}

void poller::wait() {
    epoll_.async_wait(decltype(epoll_)::wait_read, [this](const boost::system::error_code& error) {
        if (error) return;
        tell_ready();
        wait();
    });
}

// Those that had no turn the last time come first. What is told of them may be out of date, as it is of each
// that changes while the others are told of: then a read or a write finds nothing to do.
void poller::tell_ready() {
    const time_slice slice(turn_max_);
    bool all_seen = false;
    for (int told = 0; told < events_per_turn; ++told) {
        if (next_ == count_) {
            if (all_seen) return;
            look();
            if (count_ == 0) return;
            all_seen = count_ < events_.size();
        }
        const epoll_event& e = events_[next_++];
        on_ready_(
            e.data.u64,
            {(e.events & EPOLLIN) != 0, (e.events & EPOLLOUT) != 0, (e.events & (EPOLLHUP | EPOLLERR)) != 0}
        );
        if (slice.is_over()) return;
    }
}

void poller::look() {
    const int count =
        ::epoll_wait(epoll_.native_handle(), events_.data(), static_cast<int>(events_.size()), 0);
    next_ = 0;
    count_ = static_cast<std::size_t>(std::max(count, 0));
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
