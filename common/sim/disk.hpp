#pragma once

// The disk below a server, and the thread that writes to it: what arrives while one commit is under way goes
// with the next. A kill loses what the process still held, a loss of power also what was written and not yet
// synced; a write or a sync may find no room, and a sync may fail, after which nothing is known and nothing
// is written until the next start.

#include "common/exchange/shard_message.hpp"
#include "common/exchange/store_image.hpp"
#include "common/sim/dice.hpp"
#include "common/sim/timeline.hpp"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <utility>
#include <vector>

namespace pulsewire::sim {

class disk {
public:
    // How one shard's operations ended: safe up to `number`, or, with a code, not carried out from some
    // operation of `term` on.
    struct outcome {
        std::uint64_t number = 0;
        std::uint32_t term = 0;
        error_code failed = error_code::none;
    };
    using answer = std::function<void(hub::shard_index, outcome)>;

    disk(timeline& time, dice& random, std::uint32_t latency_max_ms, answer tell)
        : time_(time), random_(random), latency_max_ms_(latency_max_ms), tell_(std::move(tell)) {}

    // Operations that one shard gave at once: they are written together.
    void take(hub::shard_index from, std::vector<hub::store_op>&& ops);
    // All that was taken is written and synced, if that can be done; nobody is told.
    void finish();
    // The process ends.
    void killed();
    // The machine ends, with a suffix of what was not synced.
    void lost_power();
    // A process starts: what is there now is safe.
    const hub::store_image& opened();
    const hub::store_image& image() const { return safe_; }

    void fill(bool full) { full_ = full; }
    void fail_next_sync() { sync_fails_ = true; }
    void slow_next_sync(std::int64_t ms) { slow_ms_ = ms; }
    // No fault is to come any more.
    void repair() {
        full_ = sync_fails_ = false;
        slow_ms_ = 0;
    }
    // The last slow sync ends then.
    std::int64_t slow_until() const { return slow_until_; }
    // Whether nothing will be written before the next start.
    bool failed() const { return failed_; }

private:
    struct unit {
        hub::shard_index from = 0;
        std::vector<hub::store_op> ops;
    };
    using batch = std::vector<unit>;

    void commit();
    void write(batch b);
    void sync(const std::vector<std::pair<hub::shard_index, outcome>>& outcomes);
    void tell(std::vector<std::pair<hub::shard_index, outcome>> outcomes, error_code failed);
    void apply(const batch& b);
    batch take_valid();
    template <class Next>
    void after(std::int64_t ms, Next&& next) {
        time_.after(ms, [this, life = life_, next = std::forward<Next>(next)] {
            if (life == life_) next();
        });
    }

    timeline& time_;
    dice& random_;
    std::uint32_t latency_max_ms_;
    answer tell_;
    hub::store_image safe_;
    std::vector<batch> unsynced_;  // written, in order
    batch waiting_;                // in the process
    // By shard: the terms below this are void, because an operation of an earlier one failed.
    std::map<hub::shard_index, std::uint32_t> valid_from_;
    bool busy_ = false, full_ = false, sync_fails_ = false, failed_ = false;
    std::int64_t slow_ms_ = 0, slow_until_ = 0;
    std::uint64_t life_ = 0;
};

}  // namespace pulsewire::sim
