#pragma once

// A channel of the shared log, read as a channel_log is: recovery and history make the lines of what they
// need. Valid until the next record.

#include "common/cluster/shared_channels.hpp"
#include "common/exchange/message_text.hpp"
#include "common/protocol/limits.hpp"

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

namespace pulsewire::cluster {

// `when_slow` is the policy of the channel's namespace.
hub::message_ptr message_of(const publication& p, slow_consumer when_slow);

class channel_view {
public:
    // `c` is null where nobody published and nobody is there. `kept_since_ms` is partition_state's.
    channel_view(
        const shared_channel* c, std::string epoch, slow_consumer when_slow, std::int64_t kept_since_ms
    )
        : channel_(c),
          epoch_(std::move(epoch)),
          when_slow_(when_slow),
          oldest_(c == nullptr ? 1 : c->oldest_since(kept_since_ms)) {}

    const std::string& epoch() const { return epoch_; }
    std::uint64_t head() const { return channel_ == nullptr ? 0 : channel_->head(); }
    std::uint64_t oldest() const { return oldest_; }
    bool keeps_state() const { return channel_ != nullptr && channel_->keeps_state(); }
    std::uint64_t covers() const { return channel_ == nullptr ? 0 : channel_->covers(); }
    std::vector<hub::message_ptr> snapshot_parts() const {
        std::vector<hub::message_ptr> found;
        if (!keeps_state()) return found;
        for (const std::uint64_t offset : channel_->snapshot_parts())
            found.push_back(message_of(*channel_->at(offset), when_slow_));
        return found;
    }
    bool reaches_back_to(std::uint64_t offset) const { return offset + 1 >= oldest(); }

    // As those of channel_log.
    std::vector<hub::message_ptr> after(std::uint64_t offset, std::size_t most) const {
        const std::uint64_t first = std::max(offset + 1, oldest());
        return messages(first, std::min<std::uint64_t>(head() + 1, first + most));
    }
    std::vector<hub::message_ptr> before(std::uint64_t offset, std::size_t most) const {
        const std::uint64_t end = std::min(offset, head() + 1);
        auto found = messages(std::max(oldest(), end > most ? end - most : 0), end);
        std::reverse(found.begin(), found.end());
        return found;
    }
    std::vector<hub::message_ptr> latest(std::size_t most) const {
        return messages(std::max(oldest(), head() + 1 > most ? head() + 1 - most : 0), head() + 1);
    }
    std::uint64_t first_at(std::int64_t wall_ms) const;

private:
    // Those from `first` on, up to the one before `end`.
    std::vector<hub::message_ptr> messages(std::uint64_t first, std::uint64_t end) const;

    const shared_channel* channel_;
    std::string epoch_;
    slow_consumer when_slow_;
    std::uint64_t oldest_;
};

}  // namespace pulsewire::cluster
