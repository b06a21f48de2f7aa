#include "common/channel/keyed.hpp"

#include "common/exchange/message_text.hpp"
#include "common/protocol/json_scan.hpp"
#include "common/protocol/limits.hpp"

#include <algorithm>
#include <utility>

namespace pulsewire::hub {
namespace {

// What a part of a snapshot takes at most, unless a single publication is larger.
constexpr std::size_t part_bytes_max = 32'768;

// A publication as it stands in a snapshot.
struct kept {
    std::uint64_t offset = 0;
    std::string_view json;
};

std::string_view inner(std::string_view string) {
    return string.substr(1, string.size() - 2);
}

// Calls `entry(key, kept)` for each publication in a part of a snapshot.
template <class Entry>
void for_each_kept(std::string_view payload, Entry&& entry) {
    json_scan scan(payload);
    if (!scan.take('[') || scan.peek(']')) return;
    do {
        std::string_view type, conflate;
        kept k;
        scan.skip_space();
        const std::size_t begin = scan.at();
        if (!for_each_member(scan, json_depth_max, [&](std::string_view name, std::string_view value) {
                if (name == "type") type = inner(value);
                if (name == "conflate") conflate = inner(value);
                if (name != "offset") return true;
                k.offset = 0;
                for (const char c : value) k.offset = k.offset * 10 + static_cast<std::uint64_t>(c - '0');
                return true;
            }))
            return;
        k.json = payload.substr(begin, scan.at() - begin);
        entry(key_of(type, conflate), k);
    } while (scan.take(','));
}

// The publication as in a page of history (4.14), without the channel, which is that of all.
std::string json_of(const message& m) {
    std::string json;
    append_json(json, m);
    constexpr std::string_view begin = R"(,"channel":")";
    json.erase(json.find(begin), begin.size() + m.channel().size() + 1);
    return json;
}

}  // namespace

void key_index::take(std::string_view key, std::uint64_t offset, bool takes_away) {
    const auto found = offsets_.find(key);
    if (found == offsets_.end()) {
        if (!takes_away) offsets_.emplace(key, offset);
    } else if (takes_away) {
        offsets_.erase(found);
    } else {
        found->second = offset;
    }
}

void key_index::take_part(std::string_view payload) {
    for_each_kept(payload, [&](std::string_view key, const kept& k) { take(key, k.offset, false); });
}

std::vector<std::string> keyed_snapshot(
    const std::vector<message_ptr>& parts, const std::vector<message_ptr>& tail
) {
    std::map<std::string_view, kept> newest;
    std::map<std::string_view, const message*> since;
    for (const message_ptr& part : parts)
        for_each_kept(part->payload(), [&](std::string_view key, const kept& k) { newest[key] = k; });
    for (const message_ptr& m : tail)
        if (!m->is_snapshot) since[key_of(m->type(), m->conflate())] = m.get();
    std::vector<std::string> texts;
    texts.reserve(since.size());
    for (const auto& [key, m] : since) {
        if (takes_away(m->payload(), m->binary)) {
            newest.erase(key);
        } else {
            texts.push_back(json_of(*m));
            newest[key] = {m->offset, texts.back()};
        }
    }
    std::vector<kept> all;
    all.reserve(newest.size());
    for (const auto& [key, k] : newest) all.push_back(k);
    std::sort(all.begin(), all.end(), [](const kept& a, const kept& b) { return a.offset < b.offset; });
    std::vector<std::string> made(1, "[");
    for (const kept& k : all) {
        if (made.back().size() > 1 && made.back().size() + k.json.size() + 1 > part_bytes_max) {
            made.back() += ']';
            made.emplace_back("[");
        }
        if (made.back().size() > 1) made.back() += ',';
        made.back() += k.json;
    }
    made.back() += ']';
    if (made.size() > snapshot_parts_max) return {};
    return made;
}

}  // namespace pulsewire::hub
