#pragma once

// All forwards of a process: config::forward, carried out on a thread of its own. What is published in
// channels goes to other systems, from where those have acknowledged it.

#include "common/base/result.hpp"
#include "server/config.hpp"
#include "server/shard/node.hpp"

#include <memory>
#include <string>

namespace pulsewire::shell::forward {

class forwards {
public:
    // The error is a sentence for the operator, without a password. Connects to nothing before start().
    static result<std::unique_ptr<forwards>, std::string> make(const config& settings);
    ~forwards();
    forwards(const forwards&) = delete;
    forwards& operator=(const forwards&) = delete;

    // For node::use_forwards(), before the node is started.
    node::forwarding for_node(node& home);
    // `home` is started, and outlives the forwards. Their counters are there as long as they are.
    void start(node& home);
    // Reads nothing more, waits for the answers of the destinations, but not for long, keeps the places and
    // ends the thread. Whatever has no answer is forwarded again, by whoever comes next. Safe to call again.
    void stop();

private:
    class thread;
    explicit forwards(std::unique_ptr<thread> t);
    const std::unique_ptr<thread> thread_;
};

}  // namespace pulsewire::shell::forward
