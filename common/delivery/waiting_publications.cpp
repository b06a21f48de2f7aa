#include "common/delivery/waiting_publications.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace pulsewire::delivery {

void waiting_publications::begins(const hub::message& m, std::uint32_t place) {
    streams_[std::string(m.channel())].begins.push_back(place);
}

void waiting_publications::dropped(const hub::message& m, std::uint32_t place) {
    if (m.offset == 0) return;  // a transient one has no place that could be missed
    stream& s = streams_[std::string(m.channel())];
    // Counted from the front, since the answers after this place may not have theirs yet.
    const auto later = std::lower_bound(s.begins.begin(), s.begins.end(), place);
    const auto number = static_cast<std::size_t>(later - s.begins.begin());
    if (s.subscriptions.size() <= number) s.subscriptions.resize(number + 1);
    missing& of = s.subscriptions[number];
    of.why = m.when_slow;
    of.first = of.first == 0 ? m.offset : std::min(of.first, m.offset);
    of.last = std::max(of.last, m.offset);
}

std::optional<waiting_publications::gap> waiting_publications::due_before(const hub::message& m) {
    if (streams_.empty()) return std::nullopt;
    const auto found = streams_.find(m.channel());
    if (found == streams_.end()) return std::nullopt;
    stream& s = found->second;
    std::optional<gap> due;
    if (m.kind == hub::message_kind::subscribed) {
        // The answer says where the subscription begins, so the gaps of the one before need not be told.
        if (!s.begins.empty()) s.begins.erase(s.begins.begin());
        if (!s.subscriptions.empty()) s.subscriptions.pop_front();
    } else if (m.kind == hub::message_kind::publication && !s.subscriptions.empty()) {
        // Other answers have an offset, too, that of a publish in the same channel for example.
        missing& of = s.subscriptions.front();
        if (of.first == 0 || m.offset < of.first) return std::nullopt;
        if (of.written + 1 != m.offset) due = gap{m.offset - 1, of.why};
        of.written = m.offset;
        if (m.offset > of.last) of = {};
    }
    if (is_whole(s)) streams_.erase(found);
    return due;
}

std::map<std::string, waiting_publications::gap, std::less<>> waiting_publications::due_at_the_end() {
    std::map<std::string, gap, std::less<>> due;
    for (const auto& [channel, s] : streams_) {
        if (s.subscriptions.empty() || s.subscriptions.front().first == 0) continue;
        due.emplace(channel, gap{s.subscriptions.front().last, s.subscriptions.front().why});
    }
    streams_.clear();
    return due;
}

void waiting_publications::forget_places() {
    newest_.clear();
    for (auto at = streams_.begin(); at != streams_.end();) {
        at->second.begins.clear();
        at = is_whole(at->second) ? streams_.erase(at) : std::next(at);
    }
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
