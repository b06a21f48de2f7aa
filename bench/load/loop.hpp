#pragma once

// One epoll and nothing else: the generator must cost less than what it measures.

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
    // Throws std::runtime_error when the system has no epoll for us.
    loop();
    ~loop();
    loop(const loop&) = delete;
    loop& operator=(const loop&) = delete;

    // `p` stays where it is until removed. Interest is in EPOLLIN, or in EPOLLIN | EPOLLOUT.
    void add(int descriptor, pollable& p, std::uint32_t events);
    void change(int descriptor, pollable& p, std::uint32_t events);
    void remove(int descriptor);

    // Handles what is ready, waiting at most until `until_ns` by now_ns(). Returns whether something was.
    bool turn(std::uint64_t until_ns);

private:
    int epoll_ = -1;
};

}  // namespace pulsewire::bench
