#pragma once

// Writes into a stream of Redis for a forward: batches, each a transaction, one after the other. So a record
// that is refused (no memory, read-only) takes those after it with it.

#include "server/broker/redis/connection.hpp"
#include "server/broker/redis/master_search.hpp"
#include "server/config.hpp"
#include "server/forward/writing.hpp"

#include <cstddef>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace pulsewire::shell::forward {

class redis_writing final : public writing {
public:
    // All outlive it.
    redis_writing(const redis::dialer& to, const forward_settings& of, listener heard);
    ~redis_writing() override;

    void send(ticket number, record&& what) override;

private:
    void connect(const endpoint& to);
    void flush();
    void on_batch(redis::reply_view answer);
    void lose(std::string reason);

    const redis::dialer& to_;
    const forward_settings& of_;
    listener heard_;
    std::unique_ptr<redis::master_search> search_;
    std::shared_ptr<redis::connection> connection_;
    std::deque<std::pair<ticket, record>> waiting_;
    std::vector<ticket> batch_;  // without an answer
    std::string refusal_;        // the first that a command of the batch got
    bool is_flush_due_ = false;
    bool is_lost_ = false;
    // Ends with the object: what was posted to the loop comes even when it was destroyed since.
    const std::shared_ptr<const bool> alive_ = std::make_shared<const bool>(true);
};

}  // namespace pulsewire::shell::forward
