#pragma once

// Words that may be used again, as long as whoever gave them has said.

#include "server/permission/question.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace pulsewire::permission {

class word_cache {
public:
    // Beyond: the oldest makes room.
    static constexpr std::size_t entries_max = 10'000;

    // `now_ms` is monotonic.
    std::optional<word> find(const std::string& key, std::int64_t now_ms) const {
        const auto found = entries_.find(key);
        if (found == entries_.end() || found->second.until_ms <= now_ms) return std::nullopt;
        return found->second.given;
    }
    void keep(const std::string& key, const word& given, std::int64_t now_ms) {
        if (given.cache_ms == 0) return;
        const bool is_new = entries_.insert_or_assign(key, entry{given, now_ms + given.cache_ms}).second;
        if (!is_new) return;
        if (arrived_.size() < entries_max) return arrived_.push_back(key);
        entries_.erase(std::exchange(arrived_[oldest_], key));
        oldest_ = (oldest_ + 1) % entries_max;
    }
    std::size_t size() const { return entries_.size(); }

private:
    struct entry {
        word given;
        std::int64_t until_ms;
    };
    std::unordered_map<std::string, entry> entries_;
    // The keys of `entries_` in the order of their arrival, as a ring.
    std::vector<std::string> arrived_;
    std::size_t oldest_ = 0;
};

}  // namespace pulsewire::permission
