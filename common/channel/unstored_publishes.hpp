#pragma once

// The publishes that are on their way to the disk, in order, with the
// connections that wait for their answers.

#include "common/base/keyed_hash.hpp"
#include "common/channel/channel.hpp"
#include "common/channel/idempotency_window.hpp"

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace pulsewire::hub {

// The key of a publish, with the values that are remembered with it.
struct publish_key {
    std::string text;  // empty: none
    std::uint64_t content = 0;
    std::uint64_t publisher = 0;

    bool empty() const { return text.empty(); }
};

struct unstored_publish {
    std::uint64_t number = 0;  // of the store operation that it waits for
    channel* where = nullptr;  // stays alive: channel::unused() counts what waits
    message_ptr what;          // null: a repetition, which waits for the answer of the first
    publish_key key;
    connection_ref from;
    std::uint64_t id = 0;
    std::uint64_t offset = 0;
};

class unstored_publishes {
public:
    // `secret` is unknown outside.
    explicit unstored_publishes(const hash_key& secret) : keys_(0, name_hash(secret)) {}

    bool empty() const { return waiting_.empty(); }
    std::size_t bytes() const { return bytes_; }
    const unstored_publish& front() const { return waiting_.front(); }

    void push(unstored_publish p) {
        if (p.what != nullptr) {
            bytes_ += p.what->line.size();
            ++p.where->unstored;
            if (!p.key.empty()) keys_[joined(*p.where, p.key.text)] = {p.offset, p.key.content};
        }
        waiting_.push_back(std::move(p));
    }

    unstored_publish pop() {
        unstored_publish p = std::move(waiting_.front());
        waiting_.pop_front();
        if (p.what != nullptr) {
            bytes_ -= p.what->line.size();
            --p.where->unstored;
            if (!p.key.empty()) keys_.erase(joined(*p.where, p.key.text));
        }
        return p;
    }

    // The offset that a waiting publish with this key will get; nothing when none waits.
    std::optional<idempotency_window::known> find(const channel& c, std::string_view key) const {
        if (keys_.empty() || key.empty()) return std::nullopt;
        const auto found = keys_.find(joined(c, key));
        if (found == keys_.end()) return std::nullopt;
        return found->second;
    }

    // Calls `visit(message)` for each that the channel will get, in their order.
    template <class Visit>
    void for_each_of(const channel& c, Visit&& visit) const {
        if (c.unstored == 0) return;
        for (const unstored_publish& p : waiting_)
            if (p.where == &c && p.what != nullptr) visit(*p.what);
    }

private:
    static std::string joined(const channel& c, std::string_view key) {
        return std::string(c.name).append(1, ' ').append(key);
    }

    std::deque<unstored_publish> waiting_;
    std::unordered_map<std::string, idempotency_window::known, name_hash, std::equal_to<>>
        // By channel and key.
        keys_;
    std::size_t bytes_ = 0;
};

}  // namespace pulsewire::hub
