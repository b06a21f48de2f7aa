#pragma once

// One epoll and nothing else, because the generator must cost less than the server that it measures.

#include <cstdint>
#include <vector>

namespace pulsewire::bench {

class pollable {
public:
    virtual void ready(std::uint32_t epoll_events) = 0;

protected:
    ~pollable() = default;
};

class loop {
public:
    // Throws std::runtime_error when the system refuses an epoll.
    loop();
    ~loop();
    loop(const loop&) = delete;
    loop& operator=(const loop&) = delete;

    // `p` must stay in place until removed. Interest is in EPOLLIN, or in EPOLLIN | EPOLLOUT.
    void add(int descriptor, pollable& p, std::uint32_t events);
    void change(int descriptor, pollable& p, std::uint32_t events);
    void remove(int descriptor);

    // Handles the ready events, waiting until `until_ns` by now_ns() at most. Returns whether there were any.
    bool turn(std::uint64_t until_ns);

private:
    int epoll_ = -1;
};

}  // namespace pulsewire::bench
