#pragma once

// All feeds of a process: config::consume, carried out on a thread of its own. Records of brokers become
// publications by a door of a hub, and are acknowledged when they are safe.

#include "common/base/result.hpp"
#include "server/config.hpp"
#include "server/shard/feed_counters.hpp"
#include "server/shard/node.hpp"

#include <memory>
#include <string>
#include <vector>

namespace pulsewire::shell::feed {

class feeds {
public:
    // The error is a sentence for the operator, without a password. Connects to nothing before start().
    static result<std::unique_ptr<feeds>, std::string> make(const config& settings);
    ~feeds();
    feeds(const feeds&) = delete;
    feeds& operator=(const feeds&) = delete;

    // For node::use_feeds().
    std::vector<const feed_counters*> counters() const;
    // `home` is started, and outlives the feeds. Their counters are there as long as they are.
    void start(node& home);
    // Reads nothing more, lets other servers read, and ends the thread. Waits for the brokers' answers, but
    // not for long. What was not acknowledged is read again, by whoever comes next. Safe to call again.
    void stop();

private:
    class thread;
    explicit feeds(std::unique_ptr<thread> t);
    const std::unique_ptr<thread> thread_;
};

}  // namespace pulsewire::shell::feed
