#include "common/cluster/channel_view.hpp"

namespace pulsewire::cluster {

hub::message_ptr message_of(const publication& p, slow_consumer when_slow) {
    const publish_op from = p.view();
    hub::publish_view v;
    v.channel = from.channel;
    v.type = from.type;
    v.payload = from.payload;
    v.except = from.except;
    v.conflate = from.conflate;
    v.user = from.user;
    v.binary = from.binary;
    v.snapshot = from.snapshot;
    return hub::make_message(v, p.offset, p.time_ms, when_slow);
}

// The time of a channel's publications never runs back.
std::uint64_t channel_view::first_at(std::int64_t wall_ms) const {
    std::uint64_t first = oldest(), end = head() + 1;
    while (first < end) {
        const std::uint64_t middle = first + (end - first) / 2;
        if (channel_->at(middle)->time_ms < wall_ms)
            first = middle + 1;
        else
            end = middle;
    }
    return first;
}

std::vector<hub::message_ptr> channel_view::messages(std::uint64_t first, std::uint64_t end) const {
    std::vector<hub::message_ptr> found;
    for (; first < end; ++first) found.push_back(message_of(*channel_->at(first), when_slow_));
    return found;
}

}  // namespace pulsewire::cluster
