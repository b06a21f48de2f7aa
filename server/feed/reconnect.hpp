#pragma once

// When a source tries again to reach its broker: after 100 ms, then after twice as long each time, up to five
// seconds.

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <utility>

namespace pulsewire::shell::feed {

class reconnect {
public:
    explicit reconnect(boost::asio::io_context& loop) : timer_(loop) {}

    // Calls `then` once, on the loop.
    void after(std::function<void()> then) {
        if (is_stopped_) return;
        timer_.expires_after(wait_);
        wait_ = std::min(wait_ * 2, wait_max);
        timer_.async_wait([alive = std::weak_ptr(alive_), then = std::move(then)](const auto& error) {
            if (!error && !alive.expired()) then();
        });
    }
    // It worked: the next failure begins with the shortest wait.
    void reset() { wait_ = wait_min; }
    void stop() {
        is_stopped_ = true;
        timer_.cancel();
    }

private:
    static constexpr std::chrono::milliseconds wait_min{100};
    static constexpr std::chrono::milliseconds wait_max{5'000};

    boost::asio::steady_timer timer_;
    std::chrono::milliseconds wait_ = wait_min;
    bool is_stopped_ = false;
    // Ends with the object: a timer that has expired calls even when it was destroyed since.
    const std::shared_ptr<const bool> alive_ = std::make_shared<const bool>(true);
};

}  // namespace pulsewire::shell::feed
