#include "common/client/channel_table.hpp"

namespace pulsewire::client {
namespace {

// FNV-1a.
std::uint32_t hash(std::string_view name) {
    std::uint32_t h = 2166136261u;
    for (const char c : name) h = (h ^ static_cast<unsigned char>(c)) * 16777619u;
    return h;
}

}  // namespace

std::uint32_t channel_table::add(std::string_view channel) {
    std::uint32_t at = vacant_ != 0 ? 0 : static_cast<std::uint32_t>(slots_.size());
    while (at < slots_.size() && slots_[at].state != subscription_state::vacant) ++at;
    if (at == slots_.size()) {
        slots_.add();
    } else {
        --vacant_;
    }
    slots_[at].state = subscription_state::idle;
    slots_[at].channel = channel;
    if (by_name_.size() < 2 * slots_.size()) {
        rebuild();
    } else {
        index(at + 1);
    }
    return at + 1;
}

void channel_table::remove(std::uint32_t id) {
    slots_.renew(id - 1);
    ++vacant_;
    rebuild();
}

void channel_table::clear() {
    slots_.clear();
    vacant_ = 0;
    rebuild();
}

subscription* channel_table::with_id(std::uint32_t id) {
    if (id == 0 || id > slots_.size() || slots_[id - 1].state == subscription_state::vacant) return nullptr;
    return &slots_[id - 1];
}

subscription* channel_table::with_channel(std::string_view channel) {
    if (last_found_ != 0 && slots_[last_found_ - 1].channel == channel) return &slots_[last_found_ - 1];
    if (by_name_.empty()) return nullptr;
    const std::uint32_t mask = static_cast<std::uint32_t>(by_name_.size()) - 1;
    for (std::uint32_t at = hash(channel) & mask; by_name_[at] != 0; at = (at + 1) & mask) {
        subscription& s = slots_[by_name_[at] - 1];
        if (s.channel != channel) continue;
        last_found_ = by_name_[at];
        return &s;
    }
    return nullptr;
}

void channel_table::rebuild() {
    std::size_t size = 8;
    while (size < 2 * slots_.size()) size *= 2;
    last_found_ = 0;
    by_name_.clear();
    while (by_name_.size() < size) by_name_.add();
    for (const subscription& s : slots_)
        if (s.state != subscription_state::vacant) index(id_of(s));
}

void channel_table::index(std::uint32_t id) {
    const std::uint32_t mask = static_cast<std::uint32_t>(by_name_.size()) - 1;
    std::uint32_t at = hash(slots_[id - 1].channel) & mask;
    while (by_name_[at] != 0) at = (at + 1) & mask;
    by_name_[at] = id;
}

}  // namespace pulsewire::client
