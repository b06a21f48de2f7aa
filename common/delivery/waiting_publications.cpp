#include "common/delivery/waiting_publications.hpp"

#include <algorithm>
#include <utility>

namespace pulsewire::delivery {

void waiting_publications::dropped(const hub::message& m) {
    if (m.offset == 0) return;  // a transient one has no place that could be missed
    const auto [at, fresh] = missing_.try_emplace(std::string(m.channel()));
    missing& of = at->second;
    of.why = m.when_slow;
    of.first = fresh ? m.offset : std::min(of.first, m.offset);
    of.last = std::max(of.last, m.offset);
}

std::optional<waiting_publications::gap> waiting_publications::due_before(const hub::message& m) {
    if (missing_.empty()) return std::nullopt;
    const auto found = missing_.find(m.channel());
    if (found == missing_.end()) return std::nullopt;
    // A subscription that begins here knows its position.
    if (m.kind == hub::message_kind::subscribed) {
        missing_.erase(found);
        return std::nullopt;
    }
    // Other answers have an offset, too, that of a publish in the same channel for example.
    if (m.kind != hub::message_kind::publication || m.offset < found->second.first) return std::nullopt;
    missing& of = found->second;
    std::optional<gap> due;
    if (of.written + 1 != m.offset) due = gap{m.offset - 1, of.why};
    of.written = m.offset;
    if (m.offset > of.last) missing_.erase(found);
    return due;
}

std::map<std::string, waiting_publications::gap, std::less<>> waiting_publications::due_at_the_end() {
    std::map<std::string, gap, std::less<>> due;
    for (const auto& [channel, of] : missing_) due.emplace(channel, gap{of.last, of.why});
    missing_.clear();
    return due;
}

std::optional<std::uint32_t> waiting_publications::put(const hub::message& m, std::uint32_t place) {
    const auto [at, fresh] = newest_.try_emplace(key_of(m), place);
    if (fresh) return std::nullopt;
    const std::uint32_t before = at->second;
    // The names belong to the message that is about to go.
    auto entry = newest_.extract(at);
    entry.key() = key_of(m);
    entry.mapped() = place;
    newest_.insert(std::move(entry));
    return before;
}

void waiting_publications::take(const hub::message& m, std::uint32_t place) {
    const auto found = newest_.find(key_of(m));
    if (found != newest_.end() && found->second == place) newest_.erase(found);
}

}  // namespace pulsewire::delivery
