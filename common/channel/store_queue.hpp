#pragma once

// The operations that the owner of durable channels gives to its store
// (common/exchange/store.hpp), numbered in order.

#include "common/channel/channel.hpp"
#include "common/exchange/output.hpp"

#include <cstdint>
#include <utility>

namespace pulsewire::hub {

class store_queue {
public:
    // `out` outlives it.
    store_queue(output& out, std::uint64_t generation) : output_(out), generation_(generation) {}

    // The number of the last operation.
    std::uint64_t number() const { return number_; }
    std::uint32_t term() const { return term_; }
    // Counts the durable channels that were ever forgotten; it is a part of their epochs.
    std::uint64_t generation() const { return generation_; }
    // The store has failed: the waiting operations are void, and later ones do not build on them.
    void begin_term() { ++term_; }

    template <class Operation>
    void store(Operation&& what) {
        output_.stores.push_back({++number_, term_, std::forward<Operation>(what)});
    }
    // Removes the publications that the channel no longer keeps.
    void trim(channel& c) {
        if (!c.noted || c.log.oldest() == c.stored_oldest) return;
        // Without any publication left, only the row of the channel remembers where the offsets go on.
        if (c.log.empty()) store(keep_channel{c.name, c.log.epoch(), c.log.head()});
        store(trim_channel{c.name, c.log.oldest()});
        c.stored_oldest = c.log.oldest();
    }
    // Removes the channel. A later channel of this name gets another epoch.
    void drop(const channel& c) {
        if (c.noted) store(drop_channel{c.name, ++generation_});
    }

private:
    output& output_;
    std::uint64_t number_ = 0;
    std::uint32_t term_ = 0;
    std::uint64_t generation_;
};

}  // namespace pulsewire::hub
