#pragma once

// Finds the server that takes appends to a log: asks the sentinels, or the servers of a cluster, all at once
// and believes the first that knows. What is believed is checked by link: a sentinel may be behind a
// failover.

#include "common/base/result.hpp"
#include "server/broker/redis/connection.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace pulsewire::shell::redis {

class master_search {
public:
    using on_done = std::function<void(result<endpoint, std::string> found)>;

    // `done` is called once, later, on the thread of the loop; it may destroy the search. Not called after
    // that.
    master_search(const dialer& from, std::string key, on_done done);
    ~master_search();
    master_search(const master_search&) = delete;
    master_search& operator=(const master_search&) = delete;

private:
    void ask(std::size_t index);
    void on_sentinel(std::size_t index, reply_view answer);
    void on_slots(std::size_t index, reply_view answer);
    void give_up_one(const std::string& reason);
    void finish(result<endpoint, std::string> found);

    dialer from_;
    std::string key_;
    on_done done_;
    std::vector<std::shared_ptr<connection>> asked_;  // as broker.hosts
    std::size_t without_answer_;
    std::int64_t slot_ = -1;
};

}  // namespace pulsewire::shell::redis
