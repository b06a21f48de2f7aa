#include "server/feed/consumer.hpp"

#include <algorithm>
#include <utility>

namespace pulsewire::shell::feed {

bool passes(error_code refused) {
    switch (refused) {
        case error_code::rate_limited:
        case error_code::overloaded:
        case error_code::storage_failed:
        case error_code::storage_full:
        case error_code::broker_unavailable:
        case error_code::timeout:
        case error_code::internal:
            return true;
        default:
            return false;
    }
}

void consumer::arrived(ticket number, result<publication, std::string> what) {
    if (!what) {
        records_.emplace(number, std::nullopt);
        actions_.emplace_back(bury{number, std::move(what).error()});
        return;
    }
    const std::string channel = what->channel;
    records_.emplace(number, std::move(what).value());
    auto& waiting = by_channel_[channel];
    waiting.push_back(number);
    if (waiting.size() == 1) send(number);
}

void consumer::send(ticket number) {
    if (paused_until_ms_ != 0) return held_.push_back(number);
    actions_.emplace_back(publish{number, *records_.at(number)});
}

void consumer::answered(ticket number, error_code refused, std::string_view text, std::int64_t now_ms) {
    const auto found = records_.find(number);
    if (found == records_.end() || !found->second) return;
    if (passes(refused)) {
        // Refusals of what was sent before the pause began do not make it longer.
        if (paused_until_ms_ == 0) {
            pause_ms_ = std::clamp(pause_ms_ * 2, retry_ms_min, retry_ms_max);
            paused_until_ms_ = now_ms + pause_ms_;
        }
        held_.push_back(number);
        return;
    }
    const std::string channel = found->second->channel;
    if (refused == error_code::none) {
        pause_ms_ = 0;
        records_.erase(found);
        actions_.emplace_back(acknowledge{number});
    } else {
        found->second.reset();
        actions_.emplace_back(bury{number, std::string(name_of(refused)).append(": ").append(text)});
    }
    send_next_of(channel);
}

void consumer::send_next_of(const std::string& channel) {
    const auto waiting = by_channel_.find(channel);
    waiting->second.pop_front();
    if (waiting->second.empty()) {
        by_channel_.erase(waiting);
    } else {
        send(waiting->second.front());
    }
}

void consumer::lost() {
    records_.clear();
    by_channel_.clear();
    held_.clear();
    actions_.clear();
}

void consumer::tick(std::int64_t now_ms) {
    if (paused_until_ms_ == 0 || now_ms < paused_until_ms_) return;
    paused_until_ms_ = 0;
    for (const ticket number : std::exchange(held_, {})) send(number);
}

}  // namespace pulsewire::shell::feed
