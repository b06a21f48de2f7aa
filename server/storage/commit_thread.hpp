#pragma once

// Writes the operations of the shards on a thread of its own, because an fsync takes milliseconds. Operations
// that arrive during one fsync are written together with the next (group commit), so that the rate of
// publications does not depend on the latency of the disk.

#include "common/exchange/shard_message.hpp"
#include "common/exchange/store.hpp"
#include "server/base/duration_histogram.hpp"
#include "server/storage/log_store.hpp"

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

namespace pulsewire::shell {

// Counted since the start; any thread may read them.
struct storage_counters {
    std::atomic<std::uint64_t> commits{0};       // group commits that are safe
    std::atomic<std::uint64_t> operations{0};    // in these commits
    std::atomic<std::uint64_t> microseconds{0};  // spent in the store
    // Commits and failures by the time that they took, as in duration_histogram.
    std::array<std::atomic<std::uint64_t>, duration_histogram::buckets> by_duration{};
    std::atomic<std::uint64_t> failures{0};  // group commits that failed
    std::atomic<bool> failing{false};        // the last one failed
};

class commit_thread {
public:
    // The outcome of one shard's operations: safe up to `number`, or not carried out
    // from some operation of `term` on.
    struct outcome {
        std::uint64_t number = 0;
        std::uint32_t term = 0;
        std::optional<log_store::failure> failed;
    };
    // `answer` is called on this thread, for each shard in the order of its operations; for operations posted
    // after stop() it is called on the posting thread. Both arguments outlive the thread.
    commit_thread(log_store& store, std::function<void(hub::shard_index, outcome)> answer);
    ~commit_thread() { stop(); }

    // From any thread. After stop() the operations fail.
    void post(hub::shard_index from, std::vector<hub::store_op>&& ops);
    // Other work that waits for the disk, carried out on this thread after the commit that is under way. From
    // any thread; after stop() it is carried out on the posting thread.
    void post(std::function<void()> work);
    // Finds out, where the last commit failed, whether writing works again, by a commit of nothing. From any
    // thread; one at a time, however many ask.
    void probe();
    // Writes the waiting operations, carries out the waiting work, and ends. Safe to call again.
    void stop();
    const storage_counters& counters() const { return counters_; }

private:
    struct batch {
        hub::shard_index from = 0;
        std::vector<hub::store_op> ops;
    };

    void run();
    void commit(std::vector<batch>&& batches);
    void try_again();
    void note_success();

    log_store& store_;
    std::function<void(hub::shard_index, outcome)> answer_;
    std::mutex lock_;
    std::condition_variable woken_;
    std::vector<batch> waiting_;               // lock_
    std::vector<std::function<void()>> work_;  // lock_
    bool ending_ = false;                      // lock_
    // By shard: terms below this are void, because one of their operations failed.
    std::vector<std::uint32_t> valid_from_;
    storage_counters counters_;
    std::atomic<bool> probing_{false};
    std::thread thread_;
};

}  // namespace pulsewire::shell
