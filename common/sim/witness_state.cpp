// What the witness knows of channels that keep a state: whoever begins gets the newest snapshot that there
// was, and nothing behind it is missing; nothing that it does not cover is given up; and the state keeps its
// bound.

#include "common/channel/channel_log.hpp"
#include "common/sim/witness.hpp"

namespace pulsewire::sim {
namespace {

// What the server takes a publication for, beside its payload, before it has made its line.
constexpr std::uint64_t line_bytes = 128;
constexpr std::uint64_t overhead_bytes = hub::channel_log::publication_overhead_bytes;

}  // namespace

const snapshot_offer* witness::offer_of(std::string_view snapshot) const {
    const auto found = offered_.find(snapshot);
    return found == offered_.end() ? nullptr : &found->second;
}

void witness::add_to_state(log& l, publication& p) {
    if (l.state.add(p.payload, offer_of(p.snapshot))) reached(situation::snapshots_raced);
}

// Of what is kept behind the newest snapshot, or behind what `s` covers. Of other snapshots the mark counts.
std::uint64_t witness::tail_bytes(const log& l, const snapshot_offer* s) const {
    std::uint64_t bytes = 0;
    for (std::uint64_t o = (s == nullptr ? l.state.covers() : s->covers) + 1; o <= l.head(); ++o) {
        const publication& p = *l.at(o);
        const snapshot_offer* other = offer_of(p.snapshot);
        const bool counts =
            other == nullptr || (s == nullptr ? l.state.is_of_newest(o) : l.state.is_of(*s, o));
        bytes += overhead_bytes + (counts ? p.bytes : 0);
    }
    return bytes;
}

void witness::admitted(std::string_view name, std::size_t payload_bytes, std::string_view snapshot) {
    const channel* c = find(name);
    if (c == nullptr || c->logs.empty()) return;
    const std::uint64_t bytes = tail_bytes(c->logs.back(), offer_of(snapshot));
    if (bytes + payload_bytes + line_bytes + overhead_bytes > options_of(name).state_bytes_max)
        blame("more is kept for a state than state_bytes_max: " + std::string(name));
}

// What a client gets that wants the state: what it missed, or everything from the newest snapshot on. Which
// snapshot that is shows with its parts.
void witness::begins_state(
    const std::string& session, std::string_view channel, view& v, const starting_point& s, const log& l
) {
    const auto complain = [&](std::string_view what) {
        blame(
            session + " gets the state of " + std::string(channel) + " at " + std::to_string(s.offset) +
            " and was at " + std::to_string(v.offset) + ": " + std::string(what)
        );
    };
    if (s.recovered) {
        if (!v.told || v.epoch != s.epoch || s.offset < v.offset ||
            !may_skip_to(session, &l, v.offset, s.offset))
            complain("that is not recovered");
        if (s.offset + s.replay > l.head()) complain("that is after the head");
    } else if (s.reason == "compacted") {
        bool dropped = false;
        for (std::uint64_t o = v.offset + 1; o <= l.state.covers(); ++o)
            dropped = dropped || may_have_dropped(channel, l, o);
        if (v.epoch != s.epoch) complain("the epoch is another one");
        if (!dropped) complain("the log has what was missed");
        if (s.offset != 0) complain("it names a place before the state is there");
        reached(situation::compacted);
    } else if (s.reason == "epoch_changed") {
        if (v.epoch == s.epoch) complain("the epoch is the same");
        reached(situation::state_lost_by_epoch);
    } else if (!s.reason.empty() || v.told) {
        complain("it is not whole, for the reason " + std::string(s.reason));
    }
    v = {true, std::string(s.epoch), s.offset};
}

void witness::began(const std::string& session, std::string_view channel, view& v, const beginning& b) {
    const auto complain = [&](std::string_view what) {
        blame(
            session + " begins with what covers " + std::to_string(b.covers) + " and " +
            std::to_string(b.replay) + " after it: " + std::string(what)
        );
    };
    const log* l = find(channel, v.epoch);
    if (l == nullptr) return complain("there is no such log");
    // The snapshot counts as one.
    const std::uint64_t head = b.parts.empty() ? b.replay : b.covers + b.replay - 1;
    if (head > l->head()) return complain("that is after the head");
    const state_truth::whole* newest = l->state.newest_at(head);
    if (b.parts.empty()) {
        if (newest != nullptr) complain("there is a snapshot");
        if (v.offset != 0) complain("it does not begin with the first one");
        return;
    }
    if (newest == nullptr || newest->covers != b.covers || newest->parts.size() != b.parts.size())
        return complain("another snapshot is the newest");
    for (std::size_t i = 0; i < b.parts.size(); ++i)
        if (l->at(newest->parts[i])->snapshot != b.parts[i]) return complain("another part is the newest");
    v.offset = b.covers;
}

fold witness::folded(std::string_view channel, const view& v) const {
    const log* l = find(channel, v.epoch);
    return l == nullptr || v.offset > l->head() ? fold{} : l->state.at(v.offset);
}

bool witness::may_be_at(
    const std::string& session, std::string_view channel, const view& v, std::uint64_t offset
) const {
    return offset >= v.offset && may_skip_to(session, find(channel, v.epoch), v.offset, offset);
}

bool witness::is_stale(const std::string& snapshot) const {
    const snapshot_offer* s = offer_of(snapshot);
    const auto c = channels_.find(s->channel);
    if (c == channels_.end() || c->second.logs.empty()) return true;
    const log& l = c->second.logs.back();
    return l.epoch != s->epoch || l.state.covers() >= s->covers;
}

std::size_t witness::states_to_keep(bool on_disk) const {
    std::size_t count = 0;
    for (const auto& [name, c] : channels_)
        if (c.keeps_state && (c.durable || !on_disk) && !c.logs.empty() && c.logs.back().head() != 0) ++count;
    return count;
}

}  // namespace pulsewire::sim
