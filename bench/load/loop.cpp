#include "bench/load/loop.hpp"

#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <string>

#include "bench/load/process.hpp"

namespace pulsewire::bench {
namespace {

constexpr std::size_t events_per_turn = 512;

void watch_descriptor(int epoll, int operation, int descriptor, pollable* p, std::uint32_t events) {
    epoll_event event{};
    event.events = events;
    event.data.ptr = p;
    if (epoll_ctl(epoll, operation, descriptor, &event) != 0)
        throw std::runtime_error(std::string("epoll_ctl: ") + std::strerror(errno));
}

}  // namespace

loop::loop() : epoll_(epoll_create1(EPOLL_CLOEXEC)) {
    if (epoll_ < 0) throw std::runtime_error(std::string("epoll_create1: ") + std::strerror(errno));
}

loop::~loop() {
    close(epoll_);
}

void loop::add(int descriptor, pollable& p, std::uint32_t events) {
    watch_descriptor(epoll_, EPOLL_CTL_ADD, descriptor, &p, events);
}

void loop::change(int descriptor, pollable& p, std::uint32_t events) {
    watch_descriptor(epoll_, EPOLL_CTL_MOD, descriptor, &p, events);
}

void loop::remove(int descriptor) {
    watch_descriptor(epoll_, EPOLL_CTL_DEL, descriptor, nullptr, 0);
}

bool loop::turn(std::uint64_t until_ns) {
    const std::uint64_t now = now_ns();
    const std::uint64_t left = until_ns > now ? until_ns - now : 0;
    const timespec wait{static_cast<time_t>(left / 1'000'000'000), static_cast<long>(left % 1'000'000'000)};
    std::array<epoll_event, events_per_turn> events;
    const int count = epoll_pwait2(epoll_, events.data(), static_cast<int>(events.size()), &wait, nullptr);
    if (count < 0 && errno != EINTR) throw std::runtime_error(std::string("epoll: ") + std::strerror(errno));
    for (int i = 0; i < count; ++i)
        static_cast<pollable*>(events[static_cast<std::size_t>(i)].data.ptr)
            ->ready(events[static_cast<std::size_t>(i)].events);
    return count > 0;
}

}  // namespace pulsewire::bench
