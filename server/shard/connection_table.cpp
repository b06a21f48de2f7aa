#include "server/shard/connection_table.hpp"

#include <utility>

namespace pulsewire::shell {

std::uint64_t connection_table::next_id() {
    if (free_.empty()) {
        free_.push_back(static_cast<std::uint32_t>(places_.size()));
        places_.emplace_back();
    }
    const std::uint32_t index = free_.back();
    return id_of(index, places_[index].uses + 1);
}

connection& connection_table::add(std::unique_ptr<connection> c) {
    place& p = places_[index_of(c->id())];
    free_.pop_back();
    ++p.uses;
    ++size_;
    p.held = std::move(c);
    return *p.held;
}

connection* connection_table::find(std::uint64_t id) const {
    const std::size_t index = index_of(id);
    if (index >= places_.size() || id_of(index, places_[index].uses) != id) return nullptr;
    return places_[index].held.get();
}

std::unique_ptr<connection> connection_table::remove(std::uint64_t id) {
    place& p = places_[index_of(id)];
    // A place that was used 2^32 - 2 times is given up: its ids would repeat.
    if (p.uses < 0xffff'fffe) free_.push_back(static_cast<std::uint32_t>(index_of(id)));
    --size_;
    return std::move(p.held);
}

}  // namespace pulsewire::shell
