#pragma once

// The origins whose pages were refused, so that the operator is told of each once.

#include <cstddef>
#include <mutex>
#include <set>
#include <string>
#include <string_view>

namespace pulsewire::shell {

class refused_origins {
public:
    // Whether this is the first refusal of the origin. From any thread; only refusals take the lock.
    bool first(std::string_view origin) {
        const std::lock_guard lock(mutex_);
        if (known_.size() >= origins_max) return false;
        return known_.emplace(origin).second;
    }
    // Beyond, whoever asks is inventing them, and the log has other lines for that.
    static constexpr std::size_t origins_max = 100;

private:
    std::mutex mutex_;
    std::set<std::string, std::less<>> known_;
};

}  // namespace pulsewire::shell
