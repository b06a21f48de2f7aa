#pragma once

// The batches that other shards and observers posted to a shard and it has not received yet, in the order in
// which they came. A batch can be long, so it is received in slices.

#include "common/exchange/shard_message.hpp"
#include "server/base/time_slice.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <utility>
#include <vector>

namespace pulsewire::shell {

class inbox {
public:
    // `bytes` is what the batch counts in mail_load.
    void add(std::vector<hub::shard_message>&& batch, std::uint64_t bytes) {
        batches_.push_back({std::move(batch), bytes, 0});
    }
    bool empty() const { return batches_.empty(); }

    // Calls `receive(hub::shard_message&&)` for one value after the other, at least once and until the slice
    // is over. A value whose call throws is done, too.
    template <class Receive>
    void take(const time_slice& slice, Receive&& receive) {
        while (!batches_.empty()) {
            batch& first = batches_.front();
            if (first.next < first.values.size()) receive(std::move(first.values[first.next++]));
            if (first.next == first.values.size()) {
                done_bytes_ += first.bytes;
                batches_.pop_front();
            }
            if (slice.is_over()) return;
        }
    }
    // The bytes of the batches that were received wholly since the last call.
    std::uint64_t take_done_bytes() { return std::exchange(done_bytes_, 0); }

private:
    struct batch {
        std::vector<hub::shard_message> values;
        std::uint64_t bytes;
        std::size_t next;  // of the values
    };
    std::deque<batch> batches_;
    std::uint64_t done_bytes_ = 0;
};

}  // namespace pulsewire::shell
