#include "common/channel/channel_log.hpp"

#include "common/exchange/message_text.hpp"

#include <algorithm>

namespace pulsewire::hub {
namespace {

// Dropped entries are removed when there are at least this many and they are an eighth of all, so that each
// entry is moved eight times at most.
constexpr std::size_t dropped_at_once = 16;

}  // namespace

void channel_log::append(message_ptr m, std::int64_t now_ms) {
    ++head_;
    bytes_ += m->line.size();
    entries_.push_back({std::move(m), now_ms});
    if (keeps_state()) {
        const message_ptr newest = entries_.back().what;
        tail_bytes_ += bytes_of(*newest);
        if (newest->is_snapshot) add_snapshot(*newest);
    }
    trim(now_ms);
}

void channel_log::trim(std::int64_t now_ms) {
    while (may_drop_oldest() &&
           (kept().size() > options_.history_count_max || bytes_ > options_.history_bytes_max ||
            now_ms - kept().front().at_ms > options_.history_age_ms))
        drop_oldest();
    // A state that is nothing, said by a snapshot of null that covers all there was, is what a channel
    // without publications has as well. So it goes with its age, and the channel can be forgotten.
    if (!keeps_state() || kept().size() != 1 || covers() + 1 != head_ || snapshots_->parts().size() != 1)
        return;
    const entry& only = kept().front();
    if (!only.what->is_snapshot || only.what->binary || only.what->payload() != "null" ||
        now_ms - only.at_ms <= options_.history_age_ms)
        return;
    drop_oldest();
    *snapshots_ = snapshots();
    tail_bytes_ = 0;
}

void channel_log::give_up(std::uint64_t bytes) {
    const std::uint64_t before = this->bytes();
    while (may_drop_oldest() && before - this->bytes() < bytes) drop_oldest();
}

void channel_log::drop_oldest() {
    entry& oldest = entries_[dropped_++];
    bytes_ -= oldest.what->line.size();
    // The message is released now; its entry is removed later, together with others.
    oldest.what.reset();
    if (empty()) {
        std::vector<entry>().swap(entries_);
        dropped_ = 0;
    } else if (dropped_ >= std::max(dropped_at_once, entries_.size() / 8)) {
        entries_.erase(entries_.begin(), entries_.begin() + static_cast<std::ptrdiff_t>(dropped_));
        dropped_ = 0;
    }
}

std::vector<message_ptr> channel_log::snapshot_parts() const {
    std::vector<message_ptr> parts;
    if (!keeps_state()) return parts;
    for (const std::uint64_t offset : snapshots_->parts())
        parts.push_back(kept()[static_cast<std::size_t>(offset - oldest())].what);
    return parts;
}

// Where the newest snapshot and the one before it had no room beside each other, the state could stay full
// for ever. So only the mark stays of one that is replaced.
void channel_log::add_snapshot(const message& m) {
    for (const std::uint64_t offset : snapshots_->add(head_, snapshot_of(m))) {
        if (offset < oldest()) continue;
        message_ptr& what = entries_[dropped_ + static_cast<std::size_t>(offset - oldest())].what;
        bytes_ -= what->line.size();
        what = make_snapshot_mark(*what);
        bytes_ += what->line.size();
    }
    tail_bytes_ = sum_behind(covers(), [&](const message& s) { return snapshots_->has(s.offset); });
}

template <class Predicate>
std::uint64_t channel_log::sum_behind(std::uint64_t offset, Predicate is_state) const {
    std::uint64_t bytes = 0;
    const std::span<const entry> all = kept();
    for (std::size_t i = all.size(); i > 0 && all[i - 1].what->offset > offset; --i) {
        const message& m = *all[i - 1].what;
        bytes += m.is_snapshot && !is_state(m) ? publication_overhead_bytes : bytes_of(m);
    }
    return bytes;
}

std::uint64_t channel_log::snapshot_bytes() const {
    std::uint64_t bytes = 0;
    for (const std::uint64_t offset : snapshots_->parts())
        bytes += bytes_of(*kept()[static_cast<std::size_t>(offset - oldest())].what);
    return bytes;
}

std::uint64_t channel_log::bytes_behind(const snapshot_view& s) const {
    return sum_behind(s.covers, [&](const message& m) {
        const snapshot_view other = snapshot_of(m);
        return other.covers == s.covers && other.id == s.id && other.parts == s.parts;
    });
}

std::vector<message_ptr> channel_log::after(std::uint64_t offset, std::size_t most) const {
    // Offsets have no holes, so an offset is also an index.
    const std::span<const entry> all = kept();
    const std::uint64_t first =
        std::min(std::max(offset + 1, oldest()) - oldest(), std::uint64_t{all.size()});
    std::vector<message_ptr> found;
    const std::size_t count = std::min(all.size() - static_cast<std::size_t>(first), most);
    found.reserve(count);
    for (const entry& e : all.subspan(static_cast<std::size_t>(first), count)) found.push_back(e.what);
    return found;
}

std::vector<message_ptr> channel_log::before(std::uint64_t offset, std::size_t most) const {
    std::vector<message_ptr> found;
    for (std::uint64_t o = std::min(offset, head_ + 1); o > oldest() && found.size() < most; --o)
        found.push_back(kept()[static_cast<std::size_t>(o - 1 - oldest())].what);
    return found;
}

std::uint64_t channel_log::first_at(std::int64_t wall_ms) const {
    const auto older = [&](const entry& e) { return e.what->time_ms < wall_ms; };
    const std::span<const entry> all = kept();
    const auto first = std::partition_point(all.begin(), all.end(), older);
    return oldest() + static_cast<std::uint64_t>(first - all.begin());
}

std::vector<message_ptr> channel_log::latest(std::size_t most) const {
    const std::size_t count = std::min(most, kept().size());
    return after(head_ - count, count);
}

}  // namespace pulsewire::hub
