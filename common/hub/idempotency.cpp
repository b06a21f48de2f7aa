#include "common/hub/idempotency.hpp"

namespace pulsewire::hub {

// A space stands in no name, so no two triples give the same text.
std::string idempotency_window::joined(
    std::string_view channel, std::string_view epoch, std::string_view key
) {
    std::string text;
    text.reserve(channel.size() + epoch.size() + key.size() + 2);
    text.append(channel).append(1, ' ').append(epoch).append(1, ' ').append(key);
    return text;
}

std::uint64_t idempotency_window::find(
    std::string_view channel, std::string_view epoch, std::string_view key, std::int64_t now_ms
) {
    trim(now_ms);
    const auto found = offsets_.find(joined(channel, epoch, key));
    return found == offsets_.end() ? 0 : found->second;
}

void idempotency_window::remember(
    std::string_view channel, std::string_view epoch, std::string_view key, std::uint64_t offset,
    std::int64_t now_ms
) {
    const auto [at, inserted] = offsets_.emplace(joined(channel, epoch, key), offset);
    if (!inserted) return;
    by_age_.push_back({now_ms, &at->first});
    trim(now_ms);
}

void idempotency_window::trim(std::int64_t now_ms) {
    while (!by_age_.empty() && (by_age_.size() > keys_max_ || now_ms - by_age_.front().at_ms > window_ms_)) {
        offsets_.erase(offsets_.find(*by_age_.front().key));
        by_age_.pop_front();
    }
}

}  // namespace pulsewire::hub
