// Channels that keep a state (docs/protocol.md 4.29 to 4.31): a peer makes its own of the snapshot and of
// what comes after it, and offers it as a snapshot, in time or late, whole or in parts, or stops in the
// middle. After each publication its state is what the channel's log makes.

#include "common/sim/peer.hpp"
#include "common/sim/text.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace pulsewire::sim {
namespace {

// Between who offers it and what it says.
constexpr std::string_view says = " folds ";

// More than the parts of one snapshot.
constexpr std::uint64_t marks_max = 6;

// A payload is a string of the session, a number that makes it unlike all others, and a piece of the state.
std::string_view piece_of(std::string_view payload) {
    const std::size_t at = payload.find(says);
    if (at == payload.npos) return {};
    const std::string_view rest = payload.substr(at + says.size());
    return rest.substr(0, rest.size() - 1);
}

// Behind the state there is something that makes snapshots larger.
std::optional<fold> fold_of(std::string_view text) {
    fold f;
    const char* const end = text.data() + text.size();
    const auto count = std::from_chars(text.data(), end, f.count);
    if (count.ec != std::errc() || count.ptr == end || *count.ptr != ' ') return std::nullopt;
    const auto hash = std::from_chars(count.ptr + 1, end, f.hash);
    if (hash.ec != std::errc()) return std::nullopt;
    return f;
}

}  // namespace

void peer::begins_state(subscription& s, bool recovered, std::uint64_t replay) {
    state_view& state = s.state;
    s.marked = 0;
    if (state.begins && !state.parts.empty()) seen_.reached(situation::state_interrupted);
    const bool has_nothing = state.begins;
    state.parts.clear();
    state.text.clear();
    if (recovered) {
        // Whoever has nothing can go on from nothing alone. One that is broken has been told so, and begins
        // anew by itself, wherever the machine goes on until then.
        if (has_nothing && s.seen.offset != 0)
            return blame("goes on from a state that it does not have: " + line_);
        state.begins = false;
        if (has_nothing) state.made = {};
        return seen_.reached(situation::state_recovered);
    }
    state.made = {};
    state.begins = true;
    state.broken = false;
    state.replay = replay;
    if (replay == 0) has_begun(s, 0);
}

// Everything that it begins with has come; what comes from here on changes it.
void peer::has_begun(subscription& s, std::uint64_t covers) {
    s.state.begins = false;
    seen_.began(session_, s.channel, s.seen, {s.state.replay, covers, std::exchange(s.state.parts, {})});
}

void peer::is_given_part(subscription& s, const client::action& a) {
    state_view& state = s.state;
    if (!state.wanted) return blame("is given a state that it does not want: " + line_);
    // The line came twice.
    if (!state.begins && a.offset != 0 && a.offset == s.seen.offset) return;
    const bool is_last = a.attempt == a.delay_ms;
    if (!state.begins || state.parts.size() + 1 != a.attempt || is_last != (a.offset != 0))
        return blame("is given a part out of its order: " + line_);
    state.parts.emplace_back(part(a.type));
    state.text += piece_of(part(a.payload));
    if (!is_last) return;
    seen_.reached(a.delay_ms > 1 ? situation::state_in_parts : situation::state_in_one);
    has_begun(s, a.offset);
    const auto made = fold_of(std::exchange(state.text, {}));
    if (!made) return blame("cannot read the state: " + line_);
    state.made = *made;
    check_state(s);
}

void peer::changes_state(subscription& s, std::string_view payload) {
    if (s.state.broken) return;
    s.state.made.take(payload);
    check_state(s);
}

void peer::check_state(const subscription& s) {
    if (s.state.begins || s.state.broken || s.state.made == seen_.folded(s.channel, s.seen)) return;
    blame("has another state than the log makes: " + s.channel + " at " + std::to_string(s.seen.offset));
}

void peer::follow_state(const std::string& channel) {
    when_awake([this, channel] {
        const subscription* here = subscribed_to(channel);
        if (here != nullptr && here->state.wanted) return;
        if (here != nullptr) unsubscribe(channel);
        subscribe(channel, state_from::needs_state);
    });
}

// Something newer took the place of what would have changed it: it begins anew.
void peer::loses_state(subscription& s) {
    if (!s.state.wanted || std::exchange(s.state.broken, true)) return;
    s.state.begins = false;
    time_.after(random_.below(1'000), [this, channel = s.channel, number = s.number] {
        when_awake([this, channel, number] {
            const subscription* here = subscribed_to(channel);
            if (here == nullptr || here->number != number || !here->state.broken) return;
            unsubscribe(channel);
            subscribe(channel, state_from::nothing);
        });
    });
}

// The position that the machine names is the one that it was brought to, by what the application has seen and
// by the marks of snapshots.
void peer::check_position(std::string_view line) {
    const std::string_view quoted = string_after(line, "\"channel\":");
    const subscription* s = subscribed_to(quoted.substr(1, quoted.size() - 2));
    if (s == nullptr || !s->seen.told || seen_.options_of(s->channel).state_bytes_max == 0) return;
    const std::string_view epoch = string_after(line, "\"epoch\":");
    if (epoch.size() < 2 || epoch.substr(1, epoch.size() - 2) != s->seen.epoch) return;
    const std::uint64_t from = number_after(line, "\"offset\":");
    if (!seen_.may_be_at(session_, s->channel, s->seen, from))
        blame("subscribes from a place where it is not: " + std::string(line));
}

void peer::sees_mark(std::string_view line) {
    const std::string_view quoted = string_after(line, "\"channel\":");
    for (auto& [id, s] : subscriptions_) {
        if (s.channel != quoted.substr(1, quoted.size() - 2) || !s.live) continue;
        const std::uint64_t offset = number_after(line, "\"offset\":");
        if (offset == std::max(s.marked, s.seen.offset) + 1) s.marked = offset;
    }
}

// --- offering ---

// The server has asked, or nobody has.
void peer::offer(const std::string& channel, bool asked) {
    const subscription* s = subscribed_to(channel);
    if (s == nullptr || !s->state.wanted || !s->live || s->state.begins || s->state.broken) return;
    // Many marks take room, too, and stand for what is in its state. A few are left where they are: a
    // snapshot of snapshots alone would be followed by the next.
    const bool is_full_of_marks =
        s->marked >= s->seen.offset + marks_max && seen_.may_be_at(session_, channel, s->seen, s->marked);
    const std::uint64_t covers = is_full_of_marks ? s->marked : s->seen.offset;
    if (covers == 0) return;
    const std::uint32_t dice = seen_.heals() ? 0 : random_.below(100);
    if (asked && dice >= 85) return;  // has something else to do
    const std::int64_t at_ms = dice < 50 ? 0 : random_.below(dice < 75 ? 500 : 8'000);
    const std::uint32_t parts = is_full_of_marks || random_.percent(60) ? 1 : random_.between(2, 4);
    const std::string text = s->state.made.text() + " " + std::string(random_.below(300), '.');
    snapshot_offer o;
    o.channel = channel;
    o.epoch = s->seen.epoch;
    o.covers = covers;
    o.parts = parts;
    o.id = session_.substr(0, 8) + "-" + std::to_string(++payloads_);
    // Some of them end in the middle.
    const bool stops = parts > 1 && dice >= 30 && random_.percent(25);
    const bool backwards = parts > 1 && random_.percent(30);
    const std::uint32_t last = stops ? random_.below(parts) : parts;
    std::int64_t when_ms = at_ms;
    for (std::uint32_t i = 0; i < last; ++i) {
        o.part = backwards ? parts - i : i + 1;
        const std::size_t begin = text.size() * (o.part - 1) / parts, end = text.size() * o.part / parts;
        o.payload = "\"" + session_ + " " + o.id + "." + std::to_string(o.part) + std::string(says) +
                    text.substr(begin, end - begin) + "\"";
        time_.after(when_ms, [this, o] { when_awake([this, o] { publish_part(o); }); });
        if (dice >= 30 && random_.percent(50)) when_ms += random_.below(400);
    }
    if (asked) seen_.reached(situation::snapshot_given);
}

void peer::publish_part(const snapshot_offer& o) {
    const std::string type = "state." + o.id + "." + std::to_string(o.part);
    std::string snapshot =
        R"("snapshot":{"covers":)" + std::to_string(o.covers) + R"(,"epoch":")" + o.epoch + '"';
    if (o.parts > 1)
        snapshot += R"(,"id":")" + o.id + R"(","part":)" + std::to_string(o.part) + R"(,"parts":)" +
                    std::to_string(o.parts);
    snapshot += '}';
    seen_.offers(type, o);
    client::publish_options how;
    how.more = snapshot;
    const auto bytes = static_cast<std::uint32_t>(o.payload.size());
    const std::uint32_t id = machine_.publish(o.channel, type, bytes, how, time_.now());
    command c{command::kind::publish, o.channel, o.payload, false};
    c.snapshot = type;
    c.binary = o.parts == 1 && o.covers % 4 == 0;
    remember(id, std::move(c));
    obey();
}

// Whether the error is one of those that a channel with a state has, and true.
bool peer::is_refused_for_state(const command& c, std::string_view code) {
    if (seen_.options_of(c.channel).state_bytes_max == 0) return false;
    const bool stale = code == "stale_snapshot" && !c.snapshot.empty() && seen_.is_stale(c.snapshot);
    if (!stale && code != "state_full") return false;
    seen_.reached(stale ? situation::snapshot_stale : situation::state_full);
    // One that was sent twice may have been taken the first time.
    if (c.sent == 1) seen_.refused(c.payload);
    return true;
}

}  // namespace pulsewire::sim
