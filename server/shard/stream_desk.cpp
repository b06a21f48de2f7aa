#include "server/shard/stream_desk.hpp"

#include "common/hub/hub.hpp"
#include "server/shard/hub_runner.hpp"
#include "server/text.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace pulsewire::shell {
namespace {

// What nobody uses is kept for so long, because who writes piece by piece comes back at once.
constexpr std::int64_t idle_ms = 5'000;
// Beyond, a stream cannot be read or written now.
constexpr std::size_t entries_max = 65'536;
// Outcomes that are kept for the writers of one stream. Each is asked for in the turn in which it comes.
constexpr std::size_t outcomes_max = 1'024;
// Streams that one sweep looks at because their time has come.
constexpr std::size_t looked_at_max = 64;
// A removal that brought nothing is tried again after so long.
constexpr std::int64_t again_ms = 10'000;

// Of `subscribed`: how many messages follow before the subscription is live.
std::uint64_t replay_of(const hub::message& m) {
    constexpr std::string_view key = "\"replay\":";
    const std::string_view line = m.line;
    const std::size_t at = line.find(key);
    if (at == line.npos) return 0;
    const std::string_view rest = line.substr(at + key.size());
    return parse_number(rest.substr(0, rest.find_first_not_of("0123456789"))).value_or(0);
}

// Of a snapshot's parts only the last one has an offset, and counts.
bool is_whole_snapshot(const hub::message& m) {
    return std::string_view(m.line).substr(0, m.line.size() - m.payload().size()).find("\"offset\":") !=
           std::string_view::npos;
}

}  // namespace

struct stream_desk::entry {
    explicit entry(std::string name) : channel(std::move(name)) {}

    const std::string channel;
    std::uint64_t session = 0;  // 0: none
    use::standing how = use::standing::loading;
    std::uint64_t replay_left = 0;
    std::string epoch;
    streams::log log;
    std::map<std::uint64_t, std::function<void()>> uses;              // by their ids
    std::size_t writers = 0;                                          // of them
    std::deque<std::pair<std::uint64_t, streams::outcome>> outcomes;  // by offset
    std::int64_t unused_since_ms = 0;                                 // monotonic; 0: not known yet
    std::int64_t tried_ms = 0;                                        // monotonic: the last removal, and
    std::int64_t read_ms = 0;  // wall clock: the last read that was written down
};

stream_desk::stream_desk(hub_runner& hub, program_sessions& programs) : hub_(hub), programs_(programs) {}

stream_desk::~stream_desk() = default;

// --- uses ---

stream_desk::use& stream_desk::use::operator=(use&& other) noexcept {
    release();
    desk_ = std::exchange(other.desk_, nullptr);
    of_ = std::exchange(other.of_, nullptr);
    id_ = other.id_;
    expects_ = std::exchange(other.expects_, false);
    return *this;
}

// The entry stays until a sweep, so that an end within `changed` takes nothing away from its caller.
void stream_desk::use::release() {
    if (of_ == nullptr) return;
    entry& e = *std::exchange(of_, nullptr);
    e.uses.erase(id_);
    if (std::exchange(expects_, false) && --e.writers == 0) e.outcomes.clear();
    if (e.uses.empty()) e.unused_since_ms = 0;
}

stream_desk::use::standing stream_desk::use::how() const {
    return of_ == nullptr ? standing::failed : of_->how;
}

const streams::log& stream_desk::use::log() const {
    return of_->log;
}

const std::string& stream_desk::use::epoch() const {
    return of_->epoch;
}

void stream_desk::use::expect_outcomes() {
    if (of_ == nullptr || std::exchange(expects_, true)) return;
    ++of_->writers;
}

std::optional<streams::outcome> stream_desk::use::outcome_at(std::uint64_t offset) const {
    if (of_ == nullptr) return std::nullopt;
    const auto& all = of_->outcomes;
    const auto found =
        std::find_if(all.rbegin(), all.rend(), [offset](const auto& one) { return one.first == offset; });
    return found == all.rend() ? std::nullopt : std::optional(found->second);
}

void stream_desk::use::read() {
    if (of_ == nullptr) return;
    const std::int64_t now_ms = desk_->hub_.now().wall_ms;
    // Once while it is on its way; every one of them takes room in the log.
    constexpr std::int64_t apart_ms = 50;
    if (!of_->log.read_counts(now_ms) || now_ms - of_->read_ms < apart_ms) return;
    of_->read_ms = now_ms;
    streams::addition a;
    a.of = of_->log.born_offset();
    desk_->publish(*of_, streams::read_type, streams::write(a, {}, true).payload, 0);
}

stream_desk::use stream_desk::open(const std::string& channel, std::function<void()> changed) {
    use u;
    auto found = entries_.find(channel);
    if (found == entries_.end()) {
        if (entries_.size() >= entries_max) return u;
        found = entries_.emplace(channel, std::make_unique<entry>(channel)).first;
    }
    entry& e = *found->second;
    u.desk_ = this;
    u.of_ = &e;
    u.id_ = ++last_use_;
    // Told only of what comes later: the caller asks how() itself.
    if (e.session == 0 || e.how == use::standing::failed) begin_again(e);
    e.uses.emplace(u.id_, std::move(changed));
    return u;
}

// --- the subscription ---

void stream_desk::begin(entry& e) {
    // Both fit into a function without memory of its own, so that a call may replace the function.
    const std::uint64_t session =
        programs_.listen(e.channel, [this, &e](const hub::message_ptr& m) { on(e, m); });
    e.session = session;
    command c;
    c.op = command_op::subscribe;
    c.id = 1;
    c.channel = e.channel;
    c.state = true;
    hub_.tell([&](hub::hub& h, hub::instant now) {
        h.open(session, hub::face::api, {}, "streams", now);
        h.execute(session, c, now);
    });
}

void stream_desk::end(entry& e) {
    const std::uint64_t session = std::exchange(e.session, 0);
    if (session == 0) return;
    programs_.remove(session);
    hub_.tell([&](hub::hub& h, hub::instant now) { h.closed(session, now); });
}

void stream_desk::begin_again(entry& e) {
    end(e);
    e.how = use::standing::loading;
    e.replay_left = 0;
    e.log = streams::log();
    begin(e);
}

void stream_desk::on(entry& e, const hub::message_ptr& m) {
    switch (m->kind) {
        case hub::message_kind::subscribed:
            e.epoch = m->epoch();
            e.log.start_at(m->offset);
            e.replay_left = replay_of(*m);
            if (e.replay_left > 0) return;
            e.how = use::standing::ready;
            return tell(e);
        // What other snapshots say is no stream's.
        case hub::message_kind::direct:
            if (e.replay_left == 0 || !is_whole_snapshot(*m) || --e.replay_left > 0) return;
            e.how = use::standing::ready;
            return tell(e);
        case hub::message_kind::publication:
            return take(e, m);
        // The log of the channel is another one now.
        case hub::message_kind::position:
            return begin_again(e);
        case hub::message_kind::error:
            e.how = use::standing::failed;
            return tell(e);
        default:
            return;
    }
}

void stream_desk::take(entry& e, const hub::message_ptr& m) {
    const auto r = streams::outcome(e.log.apply(m));
    if (e.writers > 0) {
        e.outcomes.emplace_back(m->offset, r);
        if (e.outcomes.size() > outcomes_max) e.outcomes.pop_front();
    }
    if (e.how == use::standing::loading && (e.replay_left == 0 || --e.replay_left > 0)) return;
    e.how = use::standing::ready;
    tell(e);
}

// A use may end within the call of another one, and new ones may begin.
void stream_desk::tell(entry& e) {
    std::vector<std::uint64_t> ids;
    for (const auto& [id, changed] : e.uses) ids.push_back(id);
    for (const std::uint64_t id : ids) {
        const auto found = e.uses.find(id);
        if (found == e.uses.end()) continue;
        const auto changed = found->second;
        changed();
    }
}

void stream_desk::publish(entry& e, std::string_view type, std::string_view payload, std::uint64_t covers) {
    command c;
    c.op = command_op::publish;
    c.channel = e.channel;
    c.type = type;
    c.payload = payload;
    c.snapshot.covers = covers;
    if (covers != 0) c.snapshot.epoch = e.epoch;
    hub_.tell([&](hub::hub& h, hub::instant now) { h.execute(e.session, c, now); });
}

// --- the passing of time ---

void stream_desk::look_at(std::string channel, std::int64_t wall_ms) {
    looked_at_.emplace(wall_ms, std::move(channel));
}

// Whoever notices says so; of several who do, the first one counts.
void stream_desk::remove_ended(entry& e, hub::instant now) {
    if (e.how != use::standing::ready || !e.log.is_kept() || e.log.exists(now.wall_ms)) return;
    if (e.tried_ms != 0 && now.monotonic_ms - e.tried_ms < again_ms) return;
    e.tried_ms = now.monotonic_ms;
    publish(e, streams::delete_type, "null", e.log.head());
}

void stream_desk::sweep(hub::instant now) {
    for (std::size_t i = 0; i < looked_at_max && !looked_at_.empty(); ++i) {
        const auto first = looked_at_.begin();
        if (first->first > now.wall_ms) break;
        const std::string channel = std::move(first->second);
        looked_at_.erase(first);
        (void)open(channel, [] {});
    }
    std::vector<entry*> unused;
    for (const auto& [channel, e] : entries_) {
        if (e->how == use::standing::ready && e->log.is_kept())
            unused.push_back(e.get());
        else if (e->uses.empty())
            unused.push_back(e.get());
    }
    for (entry* e : unused) {
        remove_ended(*e, now);
        if (!e->uses.empty()) continue;
        if (e->unused_since_ms == 0) e->unused_since_ms = now.monotonic_ms;
        const bool is_stream = e->how == use::standing::loading || e->log.is_kept();
        if (is_stream && now.monotonic_ms - e->unused_since_ms < idle_ms) continue;
        constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();
        if (e->log.is_kept() && e->log.ends_ms() != never)
            look_at(e->channel, std::max(e->log.ends_ms(), now.wall_ms + again_ms));
        end(*e);
        entries_.erase(e->channel);
    }
}

}  // namespace pulsewire::shell
