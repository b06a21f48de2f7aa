#include "common/channel/snapshots.hpp"

#include <algorithm>
#include <utility>

namespace pulsewire::hub {

void snapshots::add(std::uint64_t offset, const snapshot_view& s) {
    if (s.covers <= covers_ || s.covers >= offset) return;
    if (s.parts == 1) return take(s.covers, {offset});
    auto o = std::find_if(offers_.begin(), offers_.end(), [&](const offer& known) {
        return known.id == s.id && known.covers == s.covers && known.parts.size() == s.parts;
    });
    if (o == offers_.end()) {
        if (offers_.size() == offers_max) offers_.erase(offers_.begin());
        offer begun{std::string(s.id), s.covers, std::vector<std::uint64_t>(s.parts), s.parts};
        o = offers_.insert(offers_.end(), std::move(begun));
    }
    std::uint64_t& place = o->parts[s.part - std::size_t{1}];
    if (place != 0) return;
    place = offset;
    if (--o->missing == 0) take(s.covers, std::move(o->parts));
}

void snapshots::take(std::uint64_t covers, std::vector<std::uint64_t> parts) {
    covers_ = covers;
    parts_ = std::move(parts);
    std::erase_if(offers_, [&](const offer& o) { return o.covers <= covers_; });
}

}  // namespace pulsewire::hub
