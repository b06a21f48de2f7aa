#include "common/channel/idempotency_window.hpp"

#include <algorithm>

namespace pulsewire::hub {
namespace {

// Room is made for this fraction of all keys at once, because finding the publisher with the most keys takes
// a walk through all publishers.
constexpr std::size_t room_fraction = 64;

}  // namespace

fingerprint idempotency_window::id_of(std::string_view channel, std::string_view epoch, std::string_view key)
    const {
    return sip_hasher<>(secret_, true).piece(channel).piece(epoch).piece(key).end_wide();
}

std::optional<idempotency_window::known> idempotency_window::find(
    std::string_view channel, std::string_view epoch, std::string_view key, std::int64_t now_ms
) {
    return find(id_of(channel, epoch, key), now_ms);
}

std::optional<idempotency_window::known> idempotency_window::find(
    const fingerprint& id, std::int64_t now_ms
) {
    trim(now_ms);
    const auto found = entries_.find(id);
    if (found == entries_.end()) return std::nullopt;
    return found->second.what;
}

void idempotency_window::remember(
    std::string_view channel, std::string_view epoch, std::string_view key, const known& what,
    std::uint64_t publisher, std::int64_t now_ms
) {
    trim(now_ms);
    restore(id_of(channel, epoch, key), what, publisher, now_ms);
}

void idempotency_window::restore(
    const fingerprint& id, const known& what, std::uint64_t publisher, std::int64_t at_ms
) {
    if (keys_max_ == 0) return;
    const auto [at, inserted] = entries_.try_emplace(id);
    if (!inserted) return;
    entry& added = at->second;
    added = {&at->first, what, publisher, at_ms, ++last_number_, nullptr, newest_, nullptr};
    (newest_ == nullptr ? oldest_ : newest_->younger) = &added;
    newest_ = &added;
    share& of = shares_[publisher];
    (of.newest == nullptr ? of.oldest : of.newest->next_of_publisher) = &added;
    of.newest = &added;
    ++of.count;
    if (entries_.size() > keys_max_) make_room();
}

// The oldest key of all is also the oldest of its publisher.
void idempotency_window::trim(std::int64_t now_ms) {
    while (oldest_ != nullptr && now_ms - oldest_->at_ms > window_ms_)
        forget_oldest_of(shares_.find(oldest_->publisher));
}

void idempotency_window::make_room() {
    // Among publishers with equally many keys, the one with the oldest key: so the
    // choice is the same on every platform.
    const auto fewer = [](const auto& a, const auto& b) {
        const share &one = a.second, &other = b.second;
        return one.count != other.count ? one.count < other.count : one.oldest->number > other.oldest->number;
    };
    const std::size_t wanted = keys_max_ - keys_max_ / room_fraction;
    while (entries_.size() > keys_max_) {
        const auto largest = std::max_element(shares_.begin(), shares_.end(), fewer);
        // It loses at most half of its keys at once, so that the largest share shrinks towards
        // the others and not below them.
        std::size_t many = std::max<std::size_t>(1, largest->second.count / 2);
        many = std::min(many, std::max<std::size_t>(1, entries_.size() - wanted));
        for (; many > 0; --many) forget_oldest_of(largest);
    }
}

void idempotency_window::forget_oldest_of(std::unordered_map<std::uint64_t, share>::iterator of) {
    entry* const oldest = of->second.oldest;
    of->second.oldest = oldest->next_of_publisher;
    if (of->second.oldest == nullptr) of->second.newest = nullptr;
    if (--of->second.count == 0) shares_.erase(of);
    (oldest->older == nullptr ? oldest_ : oldest->older->younger) = oldest->younger;
    (oldest->younger == nullptr ? newest_ : oldest->younger->older) = oldest->older;
    entries_.erase(*oldest->id);
}

}  // namespace pulsewire::hub
