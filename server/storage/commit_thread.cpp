#include "server/storage/commit_thread.hpp"

#include "server/log.hpp"

#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <utility>

namespace pulsewire::shell {

namespace {

log_store::failure ended() {
    return {error_code::storage_failed, "the server ends and has let go of its data folder"};
}

}  // namespace

commit_thread::commit_thread(log_store& store, std::function<void(hub::shard_index, outcome)> answer)
    : store_(store), answer_(std::move(answer)), thread_([this] { run(); }) {
    ::pthread_setname_np(thread_.native_handle(), "commit");
}

void commit_thread::post(hub::shard_index from, std::vector<hub::store_op>&& ops) {
    bool refused = false;
    {
        const std::lock_guard held(lock_);
        refused = ending_;
        if (!refused) waiting_.push_back({from, std::move(ops)});
    }
    // Outside of the lock, because the answer posts to a shard.
    if (refused) return answer_(from, {ops.back().number, ops.back().term, ended()});
    woken_.notify_one();
}

void commit_thread::post(std::function<void()> work) {
    {
        const std::lock_guard held(lock_);
        if (!ending_) {
            work_.push_back(std::move(work));
            work = nullptr;
        }
    }
    if (work) return work();
    woken_.notify_one();
}

void commit_thread::probe() {
    if (probing_.exchange(true)) return;
    post([this] {
        try_again();
        probing_ = false;
    });
}

void commit_thread::try_again() {
    if (counters_.failing && !store_.write({})) note_success();
}

void commit_thread::note_success() {
    if (counters_.failing.exchange(false)) log::info("writing to the data folder works again");
}

void commit_thread::stop() {
    {
        const std::lock_guard held(lock_);
        ending_ = true;
    }
    woken_.notify_one();
    if (thread_.joinable()) thread_.join();
}

void commit_thread::run() {
    std::unique_lock held(lock_);
    while (true) {
        woken_.wait(held, [this] { return ending_ || !waiting_.empty() || !work_.empty(); });
        // Everything that waits is written before the end.
        if (waiting_.empty() && work_.empty()) return;
        // All batches go into one write: one fsync serves every shard.
        std::vector<batch> taken = std::exchange(waiting_, {});
        const auto work = std::exchange(work_, {});
        // Shards can post while the disk works.
        held.unlock();
        commit(std::move(taken));
        for (const auto& one : work) one();
        held.lock();
    }
}

void commit_thread::commit(std::vector<batch>&& batches) {
    std::vector<hub::store_op> ops;
    std::vector<std::pair<hub::shard_index, outcome>> outcomes;
    for (batch& b : batches) {
        if (b.from >= valid_from_.size()) valid_from_.resize(b.from + 1u);
        // These belong to a term that has failed, and the hub knows it.
        std::erase_if(b.ops, [&](const hub::store_op& op) { return op.term < valid_from_[b.from]; });
        if (b.ops.empty()) continue;
        // Each shard needs only the number of its last operation: what is safe up to there is safe before.
        outcomes.push_back({b.from, {b.ops.back().number, b.ops.back().term, {}}});
        std::move(b.ops.begin(), b.ops.end(), std::back_inserter(ops));
    }
    if (ops.empty()) return;

    const auto begin = std::chrono::steady_clock::now();
    const std::optional<log_store::failure> failed = store_.write(ops);
    const auto took = std::chrono::steady_clock::now() - begin;
    ++counters_.by_duration[duration_histogram::bucket_of(std::chrono::duration<double>(took).count())];
    counters_.microseconds +=
        static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(took).count());
    if (failed) {
        ++counters_.failures;
        // Logged once per series of failures; the counters show the rest.
        if (!counters_.failing.exchange(true))
            log::error(
                "writing to the data folder failed: ", failed->text,
                failed->code == error_code::storage_full
                    ? "; publishes are refused until there is room, everything else goes on"
                    : "; publishes are refused from now on, everything else goes on. Check the disk, then "
                      "restart"
            );
    } else {
        ++counters_.commits;
        counters_.operations += ops.size();
        note_success();
    }

    for (auto& [shard, outcome] : outcomes) {
        if (failed) {
            outcome.failed = failed;
            // The operations that this shard has posted in the meantime carry the failed term, too.
            valid_from_[shard] = outcome.term + 1;
        }
        answer_(shard, std::move(outcome));
    }
}

}  // namespace pulsewire::shell
