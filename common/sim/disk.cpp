#include "common/sim/disk.hpp"

namespace pulsewire::sim {

void disk::take(hub::shard_index from, std::vector<hub::store_op>&& ops) {
    waiting_.push_back({from, std::move(ops)});
    if (!busy_) commit();
}

// The operations that wait, without those of which the hub knows already that they came to nothing.
disk::batch disk::take_valid() {
    batch taken = std::exchange(waiting_, {});
    for (unit& u : taken)
        std::erase_if(u.ops, [&](const hub::store_op& op) { return op.term < valid_from_[u.from]; });
    std::erase_if(taken, [](const unit& u) { return u.ops.empty(); });
    return taken;
}

void disk::commit() {
    busy_ = true;
    after(random_.below(latency_max_ms_ + 1), [this] { write(take_valid()); });
}

void disk::write(batch b) {
    std::vector<std::pair<hub::shard_index, outcome>> outcomes;
    for (const unit& u : b) outcomes.push_back({u.from, {u.ops.back().number, u.ops.back().term}});
    if (b.empty() || failed_) return tell(std::move(outcomes), error_code::storage_failed);
    // Some file systems look for room with the sync only; then it is there, and safe with the next one.
    const bool full = full_;
    if (full && random_.percent(50)) return tell(std::move(outcomes), error_code::storage_full);
    unsynced_.push_back(std::move(b));
    std::int64_t takes_ms = random_.below(latency_max_ms_ + 1);
    if (slow_ms_ != 0) {
        takes_ms += std::exchange(slow_ms_, 0);
        slow_until_ = time_.now() + takes_ms;
    }
    after(takes_ms, [this, full, outcomes = std::move(outcomes)] {
        if (full) return tell(outcomes, error_code::storage_full);
        sync(outcomes);
    });
}

void disk::sync(const std::vector<std::pair<hub::shard_index, outcome>>& outcomes) {
    if (std::exchange(sync_fails_, false)) {
        failed_ = true;
        // The kernel may have dropped the pages.
        if (random_.percent(50)) unsynced_.pop_back();
        return tell(outcomes, error_code::storage_failed);
    }
    for (const batch& b : std::exchange(unsynced_, {})) apply(b);
    tell(outcomes, error_code::none);
}

void disk::tell(std::vector<std::pair<hub::shard_index, outcome>> outcomes, error_code failed) {
    busy_ = false;
    for (auto& [shard, o] : outcomes) {
        o.failed = failed;
        if (failed != error_code::none) valid_from_[shard] = o.term + 1;
        tell_(shard, o);
    }
    if (!waiting_.empty() && !busy_) commit();
}

void disk::apply(const batch& b) {
    for (const unit& u : b)
        for (const hub::store_op& op : u.ops) safe_.apply(op);
}

void disk::finish() {
    if (!failed_ && !full_) unsynced_.push_back(take_valid());
    killed();
}

void disk::killed() {
    ++life_;
    busy_ = false;
    waiting_.clear();
}

void disk::lost_power() {
    killed();
    unsynced_.resize(random_.below(static_cast<std::uint32_t>(unsynced_.size()) + 1));
}

const hub::store_image& disk::opened() {
    for (const batch& b : std::exchange(unsynced_, {})) apply(b);
    valid_from_.clear();
    failed_ = sync_fails_ = false;
    return safe_;
}

}  // namespace pulsewire::sim
