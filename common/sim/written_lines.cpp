#include "common/sim/written_lines.hpp"

#include "common/exchange/message_text.hpp"
#include "common/sim/text.hpp"

#include <algorithm>
#include <utility>

namespace pulsewire::sim {
namespace {

std::string line_of(const hub::message& m) {
    std::string line;
    hub::append_json(line, m);
    return in_plain(line);
}

// As it waits at most: a payload of bytes may be base64 there.
std::size_t bytes_at_most(const hub::message& m) {
    return m.line.size() + (m.binary ? base64_size(m.payload().size()) + 32 : 0);
}

std::string_view key_of(const hub::message& m) {
    return m.conflate().empty() ? m.type() : m.conflate();
}

std::string_view channel_in(std::string_view line) {
    const std::string_view quoted = string_after(line, "\"channel\":");
    return quoted.size() < 2 ? quoted : quoted.substr(1, quoted.size() - 2);
}

bool ends_a_subscription(const hub::message& m) {
    return m.kind == hub::message_kind::answer && m.line.starts_with(R"({"op":"unsubscribed")");
}

// Lines of one channel keep their order, and answers theirs. A publication may come before an answer that was
// sent before it, when it joins a run that waits.
std::string_view stream_of(const hub::message& m) {
    if (ends_a_subscription(m)) return channel_in(m.line);
    const bool is_of_its_channel =
        m.kind == hub::message_kind::publication || m.kind == hub::message_kind::direct ||
        m.kind == hub::message_kind::subscribed || (m.kind == hub::message_kind::presence && m.id == 0);
    return is_of_its_channel ? m.channel() : std::string_view();
}

bool is_of_a_channel(const hub::message& m) {
    return m.kind == hub::message_kind::publication || m.kind == hub::message_kind::direct;
}

bool may_not_leave(const hub::message& m) {
    return !is_of_a_channel(m) || m.when_slow == slow_consumer::disconnect;
}

}  // namespace

void written_lines::sent(const hub::message_ptr& m, delivery::counts how) {
    waiting_.push_back({m, how});
}

std::size_t written_lines::waiting(delivery::counts how) const {
    std::size_t bytes = 0;
    for (const entry& e : waiting_)
        if (e.how == how) bytes += bytes_at_most(*e.what);
    return bytes;
}

std::size_t written_lines::waiting_to_stay() const {
    std::size_t bytes = 0;
    for (const entry& e : waiting_)
        if (e.how == delivery::counts::as_live && may_not_leave(*e.what)) bytes += e.what->line.size();
    return bytes;
}

std::string written_lines::left(std::string_view line) {
    if (line.starts_with(R"({"op":"gap")")) return gap(line);
    auto found = std::find_if(waiting_.begin(), waiting_.end(), [&](const entry& e) {
        return line_of(*e.what) == line;
    });
    if (found == waiting_.end()) return "a line is written that was not sent, or again";
    const entry next = *found;
    const std::string_view stream = stream_of(*next.what);
    // Lines that were sent before it in its stream do not come any more.
    std::string wrong;
    const auto is_skipped = [&](const entry& e) { return stream_of(*e.what) == stream; };
    for (auto e = waiting_.begin(); e != found && wrong.empty(); ++e)
        if (is_skipped(*e)) wrong = skipped(e);
    waiting_.erase(std::remove_if(waiting_.begin(), found, is_skipped), found + 1);
    return wrong.empty() ? came(next) : wrong;
}

std::string written_lines::came(const entry& e) {
    const hub::message& m = *e.what;
    if (m.kind == hub::message_kind::subscribed) places_[std::string(m.channel())] = {m.offset, m.offset};
    if (ends_a_subscription(m)) forget(channel_in(m.line));
    if (m.kind != hub::message_kind::publication || gives_up_) return {};
    const auto found = places_.find(m.channel());
    if (found == places_.end()) return {};  // the last ones before an unsubscribe without an answer
    place& of = found->second;
    of.sent = std::max(of.sent, m.offset);
    of.policy = m.when_slow;
    if (m.offset != of.position + 1)
        return "a publication is written out of its order, or a gap was not told";
    of.position = m.offset;
    return {};
}

std::string written_lines::skipped(place_in_queue e) {
    const hub::message& m = *e->what;
    if (gives_up_) return {};
    if (may_not_leave(m)) return "left out, or overtaken, and may not be: " + m.line;
    if (e->how == delivery::counts::as_replay) return "a replay is left out: " + m.line;
    if (m.when_slow == slow_consumer::latest_per_key && !is_replaced(e))
        return "the newest of its key is left out: " + m.line;
    if (const auto found = places_.find(m.channel()); found != places_.end() && m.offset != 0) {
        found->second.sent = std::max(found->second.sent, m.offset);
        found->second.policy = m.when_slow;
    }
    return {};
}

void written_lines::forget(std::string_view channel) {
    if (const auto found = places_.find(channel); found != places_.end()) places_.erase(found);
}

// Whether something newer of the same key waits, a publication for a publication (5.6).
bool written_lines::is_replaced(place_in_queue older) const {
    const hub::message& m = *older->what;
    return std::any_of(older + 1, waiting_.end(), [&](const entry& e) {
        const hub::message& n = *e.what;
        return n.kind == m.kind && n.channel() == m.channel() && key_of(n) == key_of(m);
    });
}

std::string written_lines::gap(std::string_view line) {
    const auto found = places_.find(channel_in(line));
    if (found == places_.end()) return {};  // it was dropped before the unsubscribe
    place& of = found->second;
    const std::uint64_t offset = number_after(line, "\"offset\":");
    if (offset <= of.position) return "a gap is told that is none";
    of.position = offset;
    // The publications that it speaks of do not come.
    for (const entry& e : waiting_) {
        if (e.what->channel() != found->first || e.what->offset == 0) continue;
        const bool was_dropped = e.what->kind == hub::message_kind::publication && e.what->offset <= offset;
        if (!was_dropped) continue;
        of.policy = e.what->when_slow;
    }
    const std::string_view reason = string_after(line, "\"reason\":");
    if (reason != (of.policy == slow_consumer::latest_per_key ? R"("replaced")" : R"("dropped")"))
        return "a gap is told for the wrong reason";
    return {};
}

std::string written_lines::drained() {
    for (; !waiting_.empty(); waiting_.pop_front())
        if (const std::string wrong = skipped(waiting_.begin()); !wrong.empty()) return wrong;
    if (gives_up_) return {};
    for (const auto& [channel, of] : places_)
        if (of.sent > of.position) return "a gap at the end was not told: " + channel;
    return {};
}

}  // namespace pulsewire::sim
