#pragma once

// The lines that are logged while it lives, instead of on standard error. To be made before the server, and
// to live longer.

#include "server/log.hpp"
#include "server/testing/client.hpp"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace pulsewire::testing {

class recorded_log {
public:
    recorded_log() { log::listen(&listener_); }
    ~recorded_log() { log::listen(nullptr); }
    recorded_log(const recorded_log&) = delete;
    recorded_log& operator=(const recorded_log&) = delete;

    // The first line that holds the text, which is waited for; empty when none comes.
    std::string line_with(std::string_view text) {
        std::unique_lock lock(mutex_);
        std::string found;
        grown_.wait_for(lock, patience, [&] {
            const auto line = std::find_if(lines_.begin(), lines_.end(), [&](const std::string& one) {
                return one.find(text) != std::string::npos;
            });
            if (line != lines_.end()) found = *line;
            return line != lines_.end();
        });
        return found;
    }
    std::size_t count_with(std::string_view text) {
        const std::lock_guard lock(mutex_);
        return static_cast<std::size_t>(std::count_if(
            lines_.begin(), lines_.end(),
            [&](const std::string& one) { return one.find(text) != std::string::npos; }
        ));
    }

private:
    std::mutex mutex_;
    std::condition_variable grown_;
    std::vector<std::string> lines_;
    const log::listener listener_ = [this](log::level, std::string_view line) {
        const std::lock_guard lock(mutex_);
        lines_.emplace_back(line);
        grown_.notify_all();
    };
};

}  // namespace pulsewire::testing
