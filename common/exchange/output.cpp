#include "common/exchange/output.hpp"

#include <utility>

namespace pulsewire::hub {

void output::clear() {
    sends.clear();
    receivers.clear();
    closes.clear();
    rests.clear();
    verifications.clear();
    denials.clear();
    posts.clear();
    notices.clear();
    stores.clear();
    news.clear();
}

void output::swap(output& other) noexcept {
    sends.swap(other.sends);
    receivers.swap(other.receivers);
    closes.swap(other.closes);
    rests.swap(other.rests);
    verifications.swap(other.verifications);
    denials.swap(other.denials);
    posts.swap(other.posts);
    notices.swap(other.notices);
    stores.swap(other.stores);
    news.swap(other.news);
}

void output::add_send(message_ptr what, std::uint64_t connection) {
    sends.push_back({std::move(what), static_cast<std::uint32_t>(receivers.size()), 1, false, 0});
    receivers.push_back(connection);
}

void output::add_replay(std::span<message_ptr> what, std::uint64_t connection) {
    const auto first = static_cast<std::uint32_t>(receivers.size());
    receivers.push_back(connection);
    for (message_ptr& one : what) sends.push_back({std::move(one), first, 1, true, 0});
}

}  // namespace pulsewire::hub
