#pragma once

// Asks issuers for their keys, on a thread of its own. The addresses are those of the settings; nothing that
// a token says becomes a part of one.

#include "server/identity/fetch_schedule.hpp"
#include "server/identity/https_get.hpp"
#include "server/identity/key_set.hpp"

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace pulsewire::identity {

class key_fetcher {
public:
    struct address {
        std::string url;
        std::string issuer;  // for the log
    };
    // The keys of one of the addresses; empty when those it had are too old. Called on the fetcher's thread.
    using keys_listener = std::function<void(std::size_t index, key_set keys)>;
    // After each attempt, also one that failed; on the same thread, after the keys.
    using asked_listener = std::function<void()>;

    // Begins at once.
    key_fetcher(std::vector<address> addresses, keys_listener keys, asked_listener asked);
    ~key_fetcher();  // ends what is under way
    key_fetcher(const key_fetcher&) = delete;
    key_fetcher& operator=(const key_fetcher&) = delete;

    // A token has a key that is unknown. Whether the issuer is being asked: false when it was asked a moment
    // ago. From any thread.
    bool want(std::size_t index);

private:
    struct source {
        address at;
        fetch_schedule schedule;
    };
    void run();
    void ask(std::size_t index);
    std::size_t next_due(std::unique_lock<std::mutex>& lock);

    keys_listener keys_;
    asked_listener asked_;
    https_get get_;
    std::mutex mutex_;
    std::condition_variable changed_;
    bool stopped_ = false;
    std::vector<source> sources_;
    std::thread thread_;
};

}  // namespace pulsewire::identity
