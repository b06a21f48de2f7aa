#include "common/channel/snapshots.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace pulsewire::hub {

std::vector<std::uint64_t> snapshots::add(std::uint64_t offset, const snapshot_view& s) {
    std::vector<std::uint64_t> free;
    if (s.covers <= covers_ || s.covers >= offset) return {offset};
    if (s.parts == 1) {
        take(s.covers, {offset}, free);
        return free;
    }
    auto o = std::find_if(offers_.begin(), offers_.end(), [&](const offer& known) {
        return known.id == s.id && known.covers == s.covers && known.parts.size() == s.parts;
    });
    if (o == offers_.end()) {
        if (offers_.size() == offers_max) {
            // Not simply the first: after a restart, parts whose snapshot counted before, and whose other
            // parts are gone, begin anew, and must not push out one that still may count.
            const auto least =
                std::min_element(offers_.begin(), offers_.end(), [](const auto& a, const auto& b) {
                    return a.covers < b.covers;
                });
            if (s.covers < least->covers) return {offset};
            add_parts(free, least->parts);
            offers_.erase(least);
        }
        offer begun{std::string(s.id), s.covers, std::vector<std::uint64_t>(s.parts), s.parts};
        o = offers_.insert(offers_.end(), std::move(begun));
    }
    std::uint64_t& place = o->parts[s.part - std::size_t{1}];
    if (place != 0) return {offset};
    place = offset;
    if (--o->missing == 0) take(s.covers, std::exchange(o->parts, {}), free);
    return free;
}

void snapshots::take(
    std::uint64_t covers, std::vector<std::uint64_t> parts, std::vector<std::uint64_t>& free
) {
    add_parts(free, parts_);
    covers_ = covers;
    parts_ = std::move(parts);
    const auto begin = std::stable_partition(offers_.begin(), offers_.end(), [&](const offer& o) {
        return o.covers > covers_;
    });
    for (auto o = begin; o != offers_.end(); ++o) add_parts(free, o->parts);
    offers_.erase(begin, offers_.end());
}

void snapshots::add_parts(std::vector<std::uint64_t>& free, const std::vector<std::uint64_t>& parts) {
    std::copy_if(parts.begin(), parts.end(), std::back_inserter(free), [](std::uint64_t offset) {
        return offset != 0;
    });
}

}  // namespace pulsewire::hub
