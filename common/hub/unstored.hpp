#pragma once

// The publishes that are on their way to the disk, in their order, with whoever waits for them.

#include "common/hub/channel.hpp"
#include "common/hub/idempotency.hpp"

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace pulsewire::hub {

struct unstored_publish {
    std::uint64_t number = 0;  // of the store operation that it waits for
    channel* where = nullptr;  // is not forgotten while it waits
    message_ptr what;          // null: a repetition, which only waits for the answer of the first
    std::string key;
    connection_ref from;
    std::uint64_t id = 0;
    std::uint64_t offset = 0;
};

class unstored_publishes {
public:
    bool empty() const { return waiting_.empty(); }
    std::size_t bytes() const { return bytes_; }
    const unstored_publish& front() const { return waiting_.front(); }

    void push(unstored_publish p) {
        if (p.what != nullptr) {
            bytes_ += p.what->line.size();
            ++p.where->unstored;
            if (!p.key.empty()) offsets_[joined(*p.where, p.key)] = p.offset;
        }
        waiting_.push_back(std::move(p));
    }

    unstored_publish pop() {
        unstored_publish p = std::move(waiting_.front());
        waiting_.pop_front();
        if (p.what != nullptr) {
            bytes_ -= p.what->line.size();
            --p.where->unstored;
            if (!p.key.empty()) offsets_.erase(joined(*p.where, p.key));
        }
        return p;
    }

    // The offset that a waiting publish with this key will have; 0 when none waits.
    std::uint64_t offset_of(const channel& c, std::string_view key) const {
        if (offsets_.empty() || key.empty()) return 0;
        const auto found = offsets_.find(joined(c, key));
        return found == offsets_.end() ? 0 : found->second;
    }

private:
    static std::string joined(const channel& c, std::string_view key) {
        return std::string(c.name).append(1, ' ').append(key);
    }

    std::deque<unstored_publish> waiting_;
    std::unordered_map<std::string, std::uint64_t, name_hash, std::equal_to<>>
        offsets_;  // by channel and key
    std::size_t bytes_ = 0;
};

}  // namespace pulsewire::hub
