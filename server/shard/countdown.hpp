#pragma once

// Calls something once, when all of several threads have come to a point.

#include <atomic>
#include <cstdint>
#include <functional>
#include <utility>

namespace pulsewire::shell {

class countdown {
public:
    // `then` is called by the last of `count` calls of arrive(), on its thread. To be called before any of
    // them.
    void begin(std::uint32_t count, std::function<void()> then) {
        then_ = std::move(then);
        left_ = count;
    }
    void arrive() {
        if (--left_ == 0) then_();
    }

private:
    std::atomic<std::uint32_t> left_{0};
    std::function<void()> then_;
};

}  // namespace pulsewire::shell
