#include "server/storage/commit_thread.hpp"

#include "common/exchange/message_text.hpp"
#include "server/log.hpp"
#include "server/testing/fault_file_system.hpp"
#include "server/testing/temporary_folder.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <future>
#include <mutex>
#include <thread>

namespace pulsewire::shell {
namespace {

using testing::fault_file_system;

// The answers, as they come.
class answers {
public:
    using answer = std::pair<hub::shard_index, commit_thread::outcome>;

    void put(hub::shard_index shard, commit_thread::outcome o) {
        const std::lock_guard held(lock_);
        all_.emplace_back(shard, std::move(o));
        came_.notify_one();
    }
    answer next() {
        std::unique_lock held(lock_);
        came_.wait(held, [this] { return !all_.empty(); });
        answer a = std::move(all_.front());
        all_.pop_front();
        return a;
    }
    bool empty() {
        const std::lock_guard held(lock_);
        return all_.empty();
    }

private:
    std::mutex lock_;
    std::condition_variable came_;
    std::deque<answer> all_;
};

hub::store_op keep(const std::string& channel, std::uint64_t number, std::uint32_t term) {
    hub::publish p;
    p.channel = channel;
    p.type = "t";
    p.payload = "1";
    return {number, term, hub::keep_publication{hub::make_message(p, number, 1), "epoch", {}}};
}

class commit_thread_test : public ::testing::Test {
protected:
    commit_thread_test() { log::set_level("off"); }

    testing::temporary_folder folder_;
    std::shared_ptr<fault_file_system> disk_ = std::make_shared<fault_file_system>();
    std::unique_ptr<rocksdb::Env> env_ = rocksdb::NewCompositeEnv(disk_);
    log_store store_{folder_.path(), env_.get()};
    answers answers_;
    commit_thread thread_{
        store_, [this](hub::shard_index s, commit_thread::outcome o) { answers_.put(s, std::move(o)); }};
};

TEST_F(commit_thread_test, carries_out_other_work_on_its_own_thread_before_it_ends) {
    std::thread::id worked_on;
    thread_.post([&] { worked_on = std::this_thread::get_id(); });
    thread_.stop();
    EXPECT_NE(worked_on, std::thread::id());
    EXPECT_NE(worked_on, std::this_thread::get_id());
    thread_.post([&] { worked_on = std::this_thread::get_id(); });
    EXPECT_EQ(worked_on, std::this_thread::get_id()) << "it has ended, and the work has to be done";
}

TEST_F(commit_thread_test, answers_each_shard_in_its_order) {
    thread_.post(0, {keep("a", 1, 0), keep("a", 2, 0)});
    thread_.post(1, {keep("b", 1, 0)});
    thread_.post(0, {keep("a", 3, 0)});
    std::vector<std::uint64_t> of_zero, of_one;
    while (of_zero.empty() || of_zero.back() != 3 || of_one.empty()) {
        const auto [shard, outcome] = answers_.next();
        EXPECT_FALSE(outcome.failed);
        (shard == 0 ? of_zero : of_one).push_back(outcome.number);
    }
    EXPECT_EQ(of_one, std::vector<std::uint64_t>{1});
    EXPECT_TRUE(std::is_sorted(of_zero.begin(), of_zero.end()));
}

TEST_F(commit_thread_test, what_rests_on_a_failed_operation_is_never_written) {
    disk_->fail(fault_file_system::fault::no_space, disk_->operations() + 1);
    thread_.post(0, {keep("a", 1, 0)});
    auto [shard, outcome] = answers_.next();
    ASSERT_TRUE(outcome.failed);
    EXPECT_EQ(outcome.failed->code, error_code::storage_full);
    EXPECT_EQ(outcome.term, 0u);
    EXPECT_TRUE(thread_.counters().failing);
    disk_->heal();
    thread_.post(0, {keep("a", 2, 0)});  // given before the hub heard of the failure
    thread_.post(1, {keep("b", 1, 0)});  // of a shard that heard of none
    EXPECT_EQ(answers_.next().first, 1);
    thread_.post(0, {keep("a", 3, 0), keep("c", 4, 1)});  // the first of the old term, the second of the new
    std::tie(shard, outcome) = answers_.next();
    EXPECT_FALSE(outcome.failed);
    EXPECT_EQ(outcome.number, 4u);
    EXPECT_FALSE(thread_.counters().failing);
    thread_.stop();
    EXPECT_TRUE(answers_.empty());
    const auto kept = store_.load();
    EXPECT_EQ(kept.publications, 0u) << "rows of channels that nobody noted";
}

TEST_F(commit_thread_test, a_probe_finds_out_that_there_is_room_again) {
    const auto probed = [this] {
        thread_.probe();
        std::promise<void> done;
        thread_.post([&done] { done.set_value(); });
        done.get_future().wait();
        return !thread_.counters().failing;
    };
    disk_->fail(fault_file_system::fault::no_space, disk_->operations() + 1);
    thread_.post(0, {keep("a", 1, 0)});
    ASSERT_TRUE(answers_.next().second.failed);
    EXPECT_FALSE(probed());
    disk_->heal();
    EXPECT_TRUE(probed());
    thread_.post(0, {keep("a", 2, 1)});
    EXPECT_FALSE(answers_.next().second.failed);
}

TEST_F(commit_thread_test, a_probe_heals_no_disk_that_failed) {
    disk_->fail(fault_file_system::fault::io_error, disk_->operations() + 1);
    thread_.post(0, {keep("a", 1, 0)});
    ASSERT_TRUE(answers_.next().second.failed);
    disk_->heal();
    thread_.probe();
    thread_.stop();
    EXPECT_TRUE(thread_.counters().failing);
}

TEST_F(commit_thread_test, writes_what_waits_before_it_ends) {
    for (std::uint64_t n = 1; n <= 50; ++n) thread_.post(0, {keep("a", n, 0)});
    thread_.stop();
    std::uint64_t last = 0;
    while (!answers_.empty()) last = answers_.next().second.number;
    EXPECT_EQ(last, 50u);
}

}  // namespace
}  // namespace pulsewire::shell
