#pragma once

// What may be committed of the partitions of a topic: a group has one offset for each, so an acknowledged
// record counts when all before it are.

#include "server/feed/record.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>

namespace pulsewire::shell::feed {

class kafka_offsets {
public:
    void given(ticket number, std::int32_t partition, std::int64_t offset) {
        places_.emplace(number, std::pair(partition, offset));
        of_partition& of = partitions_[partition];
        of.open.insert(offset);
        of.next = offset + 1;
    }
    // The partition, with the offset of the first record that is not acknowledged. Nothing for a number that
    // is not open.
    std::optional<std::pair<std::int32_t, std::int64_t>> acknowledged(ticket number) {
        const auto found = places_.extract(number);
        if (found.empty()) return std::nullopt;
        const auto [partition, offset] = found.mapped();
        of_partition& of = partitions_[partition];
        of.open.erase(offset);
        return std::pair(partition, of.open.empty() ? of.next : *of.open.begin());
    }
    bool is_open(ticket number) const { return places_.contains(number); }
    void clear() {
        places_.clear();
        partitions_.clear();
    }

private:
    struct of_partition {
        std::set<std::int64_t> open;
        std::int64_t next = 0;  // behind the last one that was given
    };
    std::map<ticket, std::pair<std::int32_t, std::int64_t>> places_;
    std::map<std::int32_t, of_partition> partitions_;
};

}  // namespace pulsewire::shell::feed
