#include "common/sim/witness.hpp"

#include "common/channel/channel.hpp"
#include "common/protocol/names.hpp"
#include "common/sim/text.hpp"

#include <algorithm>

namespace pulsewire::sim {
namespace {

std::string place_of(std::string_view channel, std::string_view epoch, std::uint64_t offset) {
    return std::string(channel) + " " + std::string(epoch) + " " + std::to_string(offset);
}

// Of a snapshot the witness sees the mark's line, which says less.
std::size_t bytes_at_most(const publication& p) {
    return p.bytes + (p.snapshot.empty() ? 0 : 200);
}

}  // namespace

// --- the truth ---

witness::channel* witness::find(std::string_view name) {
    const auto found = channels_.find(name);
    return found == channels_.end() ? nullptr : &found->second;
}

const witness::log* witness::find(std::string_view name, std::string_view epoch) const {
    const auto c = channels_.find(name);
    if (c == channels_.end()) return nullptr;
    for (auto l = c->second.logs.rbegin(); l != c->second.logs.rend(); ++l)
        if (l->epoch == epoch) return &*l;
    return nullptr;
}

const namespace_options& witness::options_of(std::string_view channel) const {
    const auto found = promised_.namespaces.find(std::string(namespace_of(channel)));
    return found == promised_.namespaces.end() ? promised_.default_namespace : found->second;
}

// A durable channel goes on where it was: nothing that anybody was shown, or was told to be kept, is missing.
void witness::restored(kept k) {
    channel* c = find(k.channel);
    const std::string place = place_of(k.channel, k.epoch, k.head);
    if (c == nullptr || c->logs.empty()) return blame("the disk knows what never was: " + place);
    log& l = c->logs.back();
    if (l.epoch != k.epoch) return blame("a durable channel changes its epoch: " + place);
    if (k.head < l.head()) return blame("the disk lost what was shown: " + place);
    l.life = life_;
    const std::uint64_t oldest = k.head + 1 - k.publications.size();
    for (std::uint64_t offset = oldest; offset <= k.head; ++offset) {
        publication& p = k.publications[offset - oldest];
        if (offset > l.head() + 1) return blame("the disk lost what was not shown yet: " + place);
        if (const publication* shown = l.at(offset); shown == nullptr) {
            add(*c, std::move(p));
            reached(situation::kept_unseen);
        } else if (shown->payload != p.payload || shown->except != p.except || shown->snapshot != p.snapshot) {
            blame("the disk has something else: " + place);
        }
    }
    if (k.head != l.head()) return blame("the disk lost what was not shown yet: " + place);
    if (oldest > 1 && !may_have_dropped(k.channel, l, oldest - 1))
        blame("the disk lost a part of the history: " + place);
    if (k.head != 0) reached(situation::restored);
}

void witness::begins(const std::string& name, std::string_view epoch) {
    channel* c = &channels_.try_emplace(name).first->second;
    c->durable = is_durable(name);
    c->keeps_state = keeps_state(name);
    if (c->durable && !c->logs.empty()) {
        log& l = c->logs.back();
        if (l.epoch != epoch || (l.life != life_ && l.head() != 0))
            blame("a durable channel begins anew: " + place_of(name, epoch, l.head()));
        l.life = life_;
        return;
    }
    if (find(name, epoch) != nullptr) blame("an epoch comes again: " + place_of(name, epoch, 0));
    c->logs.push_back({std::string(epoch), life_, {}});
}

void witness::ordered(std::string_view name, std::uint64_t offset, publication p) {
    channel* c = find(name);
    if (c == nullptr || c->logs.empty() || c->logs.back().life != life_)
        return blame("a publication in a channel that never began: " + std::string(name));
    log& l = c->logs.back();
    if (offset != l.head() + 1) blame("the order has a hole before " + place_of(name, l.epoch, offset));
    ++c->shown;
    for (const std::string& payload : std::exchange(c->in_doubt, {}))
        if (!seen_.contains(payload) && payload != p.payload) refused_.insert(payload);
    if (!p.snapshot.empty()) {
        // Readers see its mark, and the witness knows what it stands for.
        const snapshot_offer* s = offer_of(p.snapshot);
        if (s == nullptr) return blame("a snapshot that nobody offered: " + p.snapshot);
        p.payload = s->payload;
        // At least as many: the mark has "null" in its place, and leaves out the parts and the user.
        p.bytes += s->payload.size() - 8;
    }
    if (keeps_state(name) && !c->durable) admitted(name, p.payload.size(), p.snapshot);
    add(*c, std::move(p));
}

std::uint64_t witness::shown_in(std::string_view name) {
    const channel* c = find(name);
    return c == nullptr ? 0 : c->shown;
}

void witness::add(channel& c, publication p) {
    if (refused_.contains(p.payload)) blame("refused and published: " + p.payload);
    const bool for_all = !std::string_view(p.payload).ends_with(to_others);
    if (for_all != p.except.empty() || (!for_all && p.payload.compare(1, p.except.size(), p.except) != 0))
        blame("shown to the wrong ones: " + p.payload + " except " + p.except);
    const auto [first, is_first] = seen_.try_emplace(p.payload, place{life_, p.at_ms});
    if (!is_first) {
        const bool lost = c.durable ? clock_leapt_ : first->second.life != life_;
        if (!lost && p.at_ms - first->second.at_ms <= promised_.bounds.idempotency_ms)
            blame("published twice: " + p.payload);
        first->second = {life_, p.at_ms};
    }
    if (c.keeps_state) add_to_state(c.logs.back(), p);
    c.logs.back().publications.push_back(std::move(p));
    was_too_much_together_ = was_too_much_together_ || is_too_much_together();
}

// --- what clients are told ---

void witness::acknowledged(
    std::string_view channel, std::string_view epoch, std::uint64_t offset, std::string_view payload
) {
    const log* l = find(channel, epoch);
    const publication* kept = l == nullptr ? nullptr : l->at(offset);
    if (kept == nullptr || kept->payload != payload)
        blame(
            "acknowledged but not kept: " + std::string(payload) + " at " + place_of(channel, epoch, offset)
        );
}

void witness::left_in_doubt(std::string_view name, std::string_view payload) {
    if (channel* c = find(name); c != nullptr && !seen_.contains(std::string(payload)))
        c->in_doubt.emplace_back(payload);
}

void witness::refused(std::string_view payload) {
    if (seen_.contains(std::string(payload))) blame("published and refused: " + std::string(payload));
    refused_.emplace(payload);
}

bool witness::may_skip_to(
    const std::string& session, const log* l, std::uint64_t from, std::uint64_t offset
) {
    for (std::uint64_t o = from + 1; o <= offset; ++o) {
        const publication* skipped = l == nullptr ? nullptr : l->at(o);
        if (skipped == nullptr || (skipped->except != session && skipped->snapshot.empty())) return false;
    }
    return true;
}

bool witness::may_have_dropped(std::string_view channel, const log& l, std::uint64_t offset) const {
    const namespace_options& keeps = options_of(channel);
    if (keeps.state_bytes_max != 0 && offset > l.state.covers()) return false;
    if (clock_leapt_ && is_durable(channel)) return true;
    const publication* p = l.at(offset);
    if (p == nullptr) return false;
    if (l.head() - offset + 1 > keeps.history_count_max) return true;
    if (time_.now() - p->at_ms > keeps.history_age_ms) return true;
    if (was_too_much_together_) return true;
    std::size_t bytes = 0;
    for (std::uint64_t o = offset; o <= l.head(); ++o) bytes += bytes_at_most(*l.at(o));
    return bytes > keeps.history_bytes_max;
}

// A hub may hold fewer channels than there are, and so may have dropped nothing where this is true; it must
// not have dropped anything where it never was.
bool witness::is_too_much_together() const {
    const std::uint64_t most = promised_.bounds.history_bytes_total_max;
    if (most == 0) return false;
    std::uint64_t bytes = 0;
    for (const auto& [name, c] : channels_) {
        bytes += hub::channel::bytes_of_name(name.size());
        if (c.logs.empty()) continue;
        for (const publication& p : c.logs.back().publications)
            bytes += bytes_at_most(p) + hub::channel_log::publication_overhead_bytes;
    }
    return bytes > most;
}

// Why it was wrong to say so; empty: it was right.
std::string_view witness::why_lost(std::string_view channel, const view& v, const starting_point& s) const {
    const log* l = find(channel, v.epoch);
    if (s.reason == "epoch_changed") return v.epoch == s.epoch ? "the epoch is the same" : "";
    if (v.epoch != s.epoch || l == nullptr) return "the epoch is another one";
    if (s.reason == "limit")
        return l->head() - v.offset > promised_.bounds.recovery_max ? "" : "it was not so much";
    if (s.reason == "expired") {
        for (std::uint64_t o = v.offset + 1; o <= l->head(); ++o)
            if (may_have_dropped(channel, *l, o)) return "";
        return "the history has it";
    }
    return "no such reason";
}

void witness::subscribed(
    const std::string& session, std::string_view channel, view& v, const starting_point& s
) {
    const auto complain = [&](std::string_view what) {
        blame(
            session + " subscribed at " + place_of(channel, s.epoch, s.offset) + " and was at " +
            place_of(channel, v.epoch, v.offset) + ": " + std::string(what)
        );
    };
    const log* l = find(channel, s.epoch);
    if (l == nullptr) return complain("there is no such log");
    if (s.state) return begins_state(session, channel, v, s, *l);
    if (s.offset + s.replay > l->head()) complain("that is after the head");
    if (s.replay > promised_.bounds.recovery_max) complain("the replay is longer than recovery_max");
    if (s.recovered) {
        if (!v.told || v.epoch != s.epoch || s.offset < v.offset ||
            !may_skip_to(session, l, v.offset, s.offset))
            complain("that is not recovered");
        reached(s.replay != 0 ? situation::replayed : situation::nothing_missed);
        if (s.replay != 0 && s.offset + s.replay < l->head()) reached(situation::replay_overlaps_live);
    } else {
        if (s.replay > s.latest) complain("more than the latest");
        if (s.replay < std::min(s.latest, promised_.bounds.recovery_max) && s.offset != 0 &&
            !may_have_dropped(channel, *l, s.offset))
            complain("less than the latest");
        if (s.replay != 0) reached(situation::latest_first);
    }
    if (!s.recovered && v.told) {
        if (const std::string_view wrong = why_lost(channel, v, s); !wrong.empty()) complain(wrong);
        reached(
            s.reason == "epoch_changed" ? situation::lost_by_epoch
            : s.reason == "limit"       ? situation::lost_by_limit
                                        : situation::lost_by_expiry
        );
    }
    v = {true, std::string(s.epoch), s.offset};
}

void witness::delivered(
    const std::string& session, std::string_view channel, view& v, std::uint64_t offset,
    std::string_view payload
) {
    const log* l = find(channel, v.epoch);
    const publication* p = l == nullptr ? nullptr : l->at(offset);
    if (!v.told || offset <= v.offset || !may_skip_to(session, l, v.offset, offset - 1)) {
        blame(session + " gets " + place_of(channel, v.epoch, offset) + " after " + std::to_string(v.offset));
    } else if (p == nullptr || p->payload != payload) {
        blame(session + " gets something else at " + place_of(channel, v.epoch, offset));
    } else if (p->except == session || !p->snapshot.empty()) {
        blame(session + " is shown its own message, or a snapshot: " + p->payload);
    }
    if (offset > v.offset + 1) reached(situation::own_message_skipped);
    v.offset = offset;
}

void witness::replaced(const std::string& session, std::string_view channel, view& v, std::uint64_t offset) {
    const log* l = find(channel, v.epoch);
    if (l == nullptr || offset > l->head() || offset <= v.offset ||
        options_of(channel).slow_consumers != slow_consumer::latest_per_key)
        return blame(session + " hears of a gap that is none at " + place_of(channel, v.epoch, offset));
    for (std::uint64_t o = v.offset + 1; o <= offset; ++o) {
        const publication& missed = *l->at(o);
        if (missed.except == session || !missed.snapshot.empty()) continue;
        bool newer = false;
        for (std::uint64_t later = o + 1; later <= l->head(); ++later)
            newer |= l->at(later)->key == missed.key;
        if (!newer) blame(session + " misses the newest of its key: " + missed.payload);
    }
    reached(situation::replacement_accepted);
    v.offset = offset;
}

void witness::delivered_transient(const std::string& session, std::string_view payload) {
    if (!once_.insert(session + " hears " + std::string(payload)).second)
        blame(session + " hears again " + std::string(payload));
}

void witness::read(
    std::string_view channel, std::string_view epoch, std::uint64_t head, bool backwards,
    std::string_view json
) {
    const log* l = find(channel, epoch);
    if (l == nullptr || head > l->head())
        return blame("history of no log: " + place_of(channel, epoch, head));
    std::uint64_t before = 0;
    for (std::size_t at = 0; (at = json.find("\"offset\":", at)) != json.npos; ++at) {
        const std::uint64_t offset = number_after(json.substr(at), "\"offset\":");
        const publication* p = l->at(offset);
        const std::string_view payload = string_after(json.substr(at), "\"payload\":");
        // Of a snapshot that is replaced there is the mark.
        const bool is_right =
            p != nullptr && (payload == p->payload || (payload.empty() && !p->snapshot.empty()));
        if (offset > head || !is_right)
            blame("history has something else at " + place_of(channel, epoch, offset));
        if (before != 0 && offset != (backwards ? before - 1 : before + 1))
            blame("history jumps to " + place_of(channel, epoch, offset));
        before = offset;
    }
    if (before != 0) reached(situation::history_read);
}

void witness::requested(const std::string& payload) {
    if (!once_.insert("request " + payload).second) blame("requested twice: " + payload);
}

bool witness::is_complete(const std::string& session, std::string_view channel, const view& v) const {
    const log* l = find(channel, v.epoch);
    return v.told && l != nullptr && may_skip_to(session, l, v.offset, l->head());
}

void witness::complete(const std::string& session, std::string_view channel, const view& v) {
    if (!is_complete(session, channel, v))
        blame(session + " stays behind at " + place_of(channel, v.epoch, v.offset));
}

}  // namespace pulsewire::sim
