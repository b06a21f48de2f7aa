#pragma once

// The bound on the memory of all channels of one owner: their histories and the channels themselves. Beyond
// it, the least recently used channel gives up its oldest publications first.

#include "common/channel/channel.hpp"

#include <cstddef>
#include <cstdint>
#include <list>

namespace pulsewire::hub {

class history_budget {
public:
    // `bytes_max` 0: 256 MiB.
    explicit history_budget(std::uint64_t bytes_max)
        : bytes_max_(bytes_max == 0 ? default_bytes_max : bytes_max) {}

    std::uint64_t bytes() const { return bytes_; }
    // The bytes that must be freed before `wanted` more bytes fit.
    std::uint64_t excess(std::uint64_t wanted) const {
        return bytes_ + wanted > bytes_max_ ? bytes_ + wanted - bytes_max_ : 0;
    }
    // Whether a channel of that name fits.
    bool has_room_for(std::size_t name_bytes) const {
        return bytes_ + channel::bytes_of_name(name_bytes) <= bytes_max_;
    }

    // To be called when the content of `c` may have changed; `c` counts as used just now.
    void use(channel& c) {
        count(c);
        if (c.budgeted) {
            by_use_.splice(by_use_.end(), by_use_, c.place_by_use);
        } else {
            c.place_by_use = by_use_.insert(by_use_.end(), &c);
            c.budgeted = true;
        }
    }
    // To be called when the content of `c` may have changed.
    void count(channel& c) {
        const std::uint64_t bytes = c.bytes();
        bytes_ += bytes - c.counted_bytes;
        c.counted_bytes = bytes;
    }
    // Null when no channel can give up anything.
    channel* least_used() const { return by_use_.empty() ? nullptr : by_use_.front(); }
    // `c` can give up nothing more until it is used again.
    void set_aside(channel& c) {
        if (c.budgeted) by_use_.erase(c.place_by_use);
        c.budgeted = false;
    }
    // `c` is about to be forgotten.
    void remove(channel& c) {
        set_aside(c);
        bytes_ -= c.counted_bytes;
        c.counted_bytes = 0;
    }

private:
    static constexpr std::uint64_t default_bytes_max = 256u << 20;

    std::uint64_t bytes_max_;
    std::uint64_t bytes_ = 0;
    std::list<channel*> by_use_;  // least recently used first
};

}  // namespace pulsewire::hub
