#include "common/cluster/log_readers.hpp"

#include "common/base/overloaded.hpp"
#include "common/channel/members_page.hpp"
#include "common/channel/recovery.hpp"
#include "common/cluster/log_output.hpp"
#include "common/exchange/message_text.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace pulsewire::cluster {
namespace {

// The subscribes and queries that wait for the copy, in one partition; beyond: broker_unavailable at once.
constexpr std::size_t waiting_calls_max = 65'536;

hub::shown shown_of(const shown_member& m) {
    return {m.info, m.user, m.user_info};
}

}  // namespace

log_readers::log_readers(
    const hub::config& settings, const replica& copy, hub::session_port& sessions,
    hub::channel_counters& counted, std::int64_t wait_ms
)
    : config_(settings),
      copy_(copy),
      sessions_(sessions),
      counters_(counted),
      wait_ms_(wait_ms),
      watched_(0, name_hash(settings.secret)) {}

watched_channel* log_readers::watched(const std::string& channel) {
    const auto found = watched_.find(channel);
    return found == watched_.end() ? nullptr : &found->second;
}

void log_readers::tell(const watched_channel& c, const hub::message_ptr& m, hub::instant now) {
    for (const hub::shard_index shard : c.shards) sessions_.post(shard, hub::deliver{m}, now);
}

void log_readers::tell_position(const watched_channel& c, std::string_view lost, hub::instant now) {
    tell(c, hub::make_position(c.name, text_of(c.epoch), c.offset, lost), now);
}

void log_readers::withdraw(const hub::withdrawn& what, hub::instant now) {
    const watched_channel* const c = watched(what.channel);
    if (c == nullptr) return;
    for (const hub::shard_index shard : c->shards) sessions_.post(shard, hub::to_session(what), now);
}

channel_view log_readers::view_of(std::string_view channel) const {
    const partition_state& copy = *copy_.state();
    return {
        find(channel), text_of(copy.epoch_of(channel)), config_.options_of(channel).slow_consumers,
        copy.kept_since_ms(channel)};
}

// --- what the copy reports ---

void log_readers::on_degraded() {
    // The copy goes on without a word until it serves again, so what was told is remembered.
    if (copy_.state() == nullptr) return;
    for (auto& [name, c] : watched_) c.members = members_of(find(name));
}

void log_readers::on_serving(hub::instant now) {
    for (auto& [name, c] : watched_) catch_up(c, now);
    look_at_waiting(now);
}

// Tells the subscribers what happened while the copy did not serve.
void log_readers::catch_up(watched_channel& c, hub::instant now) {
    const channel_view log = view_of(c.name);
    const channel_epoch epoch = copy_.state()->epoch_of(c.name);
    // Since they came an own record was read back, the hello: so the copy is not behind them.
    switch (copy_.judge(c.name, c.epoch == epoch ? naming::present : naming::other, c.offset, INT64_MIN)) {
        case fit::fits:
            for (const hub::message_ptr& m : log.after(c.offset, log.head() - c.offset))
                tell(c, m->is_snapshot ? hub::make_snapshot_mark(*m) : m, now);
            c.offset = log.head();
            break;
        case fit::wait:
            return;
        case fit::expired:
            c.offset = log.head();
            tell_position(c, "expired", now);
            break;
        case fit::epoch_changed:
            c.epoch = epoch;
            c.offset = log.head();
            tell_position(c, "epoch_changed", now);
            break;
    }
    c.members_told.clear();
    if (!c.members) return;
    const auto before = *std::exchange(c.members, std::nullopt);
    const auto present = members_of(find(c.name));
    for (const auto& [session, as] : before)
        if (!present.contains(session)) tell(c, hub::make_leave(c.name, session), now);
    for (const auto& [session, as] : present) {
        const auto known = before.find(session);
        if (known == before.end() || !(known->second == as))
            tell(c, hub::make_join(c.name, session, shown_of(as)), now);
    }
}

// Nothing was missed, and positions have another name.
void log_readers::on_restated(const restated& r, hub::instant now) {
    former_names_.add(r.before, r.renewals);
    for (auto& [name, c] : watched_) {
        if (!(c.epoch.log == r.before)) continue;
        c.epoch.log = r.now;
        tell_position(c, {}, now);
    }
}

void log_readers::on_publication(const publication& p, const channel_epoch* in, hub::instant now) {
    if (watched_.empty()) return;
    const std::string_view channel = p.channel();
    const auto found = watched_.find(channel);
    if (found == watched_.end()) return;
    watched_channel& c = found->second;
    if (in != nullptr) {
        c.epoch = *in;
        c.offset = p.offset;
    }
    hub::message_ptr m = message_of(p, config_.options_of(channel).slow_consumers);
    if (m->is_snapshot) m = hub::make_snapshot_mark(*m);
    tell(c, m, now);
    if (wants_snapshot(c)) ask_for_snapshot(c, now);
}

// Each node asks one of its own; the first to answer is enough.
void log_readers::ask_for_snapshot(watched_channel& c, hub::instant now) {
    if (c.shards.empty()) return;
    sessions_.post(c.shards[c.wish.turn_of(c.shards.size())], hub::snapshot_wanted{c.name}, now);
}

void log_readers::on_full(const std::string& channel, hub::instant now) {
    watched_channel* const c = watched(channel);
    if (c != nullptr && c->wish.is_due_when_full(now.monotonic_ms)) ask_for_snapshot(*c, now);
}

bool log_readers::wants_snapshot(watched_channel& c) const {
    const shared_channel* const kept = find(c.name);
    return kept != nullptr && kept->keeps_state() && !config_.options_of(c.name).keyed &&
           c.wish.is_due(kept->tail_bytes(), config_.options_of(c.name).state_bytes_max);
}

void log_readers::on_member(const member_came& m, hub::instant now) {
    watched_channel* const c = watched(m.channel);
    if (c == nullptr) return;
    c->members_told.clear();
    tell(*c, hub::make_join(m.channel, m.session, shown_of(m.as)), now);
}

void log_readers::on_member(const member_gone& m, hub::instant now) {
    watched_channel* const c = watched(m.channel);
    if (c == nullptr) return;
    c->members_told.clear();
    tell(*c, hub::make_leave(m.channel, m.session), now);
}

// Its positions are void, and nobody missed anything.
void log_readers::on_forgotten(const std::string& channel, hub::instant now) {
    watched_channel* const c = watched(channel);
    if (c == nullptr) return;
    c->epoch = copy_.state()->epoch_of(channel);
    c->offset = 0;
    tell_position(*c, {}, now);
}

// --- subscribing and reading ---

void log_readers::attach(hub::attach&& a, hub::instant now) {
    if (!copy_.serves() || !attach_now(a, now.monotonic_ms, now)) wait(std::move(a), now);
}

// False: the copy may be behind what the client knows.
bool log_readers::attach_now(hub::attach& a, std::int64_t since_ms, hub::instant now) {
    const channel_view log = view_of(a.channel);
    const channel_epoch epoch = copy_.state()->epoch_of(a.channel);
    if (a.seen) {
        if (former_names_.knows(find(a.channel), epoch.generation, a.seen->epoch, a.seen->offset))
            a.seen->epoch = log.epoch();
        const naming named = a.seen->epoch == log.epoch() ? naming::present : naming::other;
        if (copy_.judge(a.channel, named, a.seen->offset, since_ms) == fit::wait) return false;
    }
    hub::starting_point start =
        hub::start_of(log, a, config_.bounds.recovery_max, now.wall_ms - config_.bounds.recover_ms);
    if (a.seen) ++(start.lost.empty() ? counters_.recoveries : counters_.failed_recoveries);
    hub::subscribed_fields f;
    f.id = a.id;
    f.channel = a.channel;
    f.epoch = log.epoch();
    f.asked_to_recover = a.seen.has_value();

    hub::attached answer;
    answer.to = a.from;
    answer.token = a.token;
    answer.weight = a.weight;
    answer.channel = a.channel;
    hub::answer_with(std::move(start), log.keeps_state(), answer, f);
    answer.subscribed = hub::make_subscribed(f);
    // From here on the shard gets every message of the channel, in the order of the log.
    const auto [at, fresh] = watched_.try_emplace(a.channel);
    watched_channel& c = at->second;
    if (fresh) {
        c.name = a.channel;
        c.epoch = epoch;
        c.offset = log.head();
    }
    if (std::find(c.shards.begin(), c.shards.end(), a.from.shard) == c.shards.end())
        c.shards.push_back(a.from.shard);
    if (a.wants_presence) {
        if (c.members_told.empty()) c.members_told = members_told_of(c.name, find(c.name));
        answer.members = c.members_told;
    }
    sessions_.post(a.from.shard, std::move(answer), now);
    // Somebody may be there now who can make room.
    if (a.wants_state && wants_snapshot(c)) sessions_.post(a.from.shard, hub::snapshot_wanted{c.name}, now);
    return true;
}

void log_readers::detach(const hub::detach& d) {
    // Nobody waits any more for the answers to earlier subscribes.
    std::erase_if(waiting_, [&](const waiting_call& w) {
        const auto* const a = std::get_if<hub::attach>(&w.what);
        return a != nullptr && a->from.shard == d.from && a->channel == d.channel;
    });
    const auto found = watched_.find(d.channel);
    if (found == watched_.end()) return;
    std::erase(found->second.shards, d.from);
    if (found->second.shards.empty()) watched_.erase(found);
}

void log_readers::query(hub::query&& q, hub::instant now) {
    if (copy_.serves()) return answer_now(q, now);
    wait(std::move(q), now);
}

void log_readers::answer_now(const hub::query& q, hub::instant now) {
    hub::message_ptr answer;
    if (q.of == hub::query::kind::presence) {
        hub::members_page page(presence_page_bytes_max);
        each_member(find(q.channel), q.after, [&](const std::string& session, const shown_member& as) {
            return page.add(session, shown_of(as));
        });
        answer = hub::make_members(q.id, q.channel, page.json(), page.more());
    } else {
        const channel_view log = view_of(q.channel);
        const hub::history_page page = hub::page_of(log, q);
        answer = hub::make_history(
            q.id, q.channel, log.epoch(), log.head(), page.more, page.missed,
            hub::json_array(page.publications)
        );
    }
    sessions_.post(q.from.shard, hub::reply{q.from, std::move(answer), 0, hub::text_weight}, now);
}

// --- those who wait for the copy ---

void log_readers::wait(call&& what, hub::instant now) {
    if (waiting_.size() >= waiting_calls_max) return refuse(std::move(what), now);
    waiting_.push_back({now.monotonic_ms, std::move(what)});
}

void log_readers::look_at_waiting(hub::instant now) {
    // Values that sessions are told may bring others, which go to the end.
    for (std::size_t left = waiting_.size(); left > 0 && !waiting_.empty(); --left) {
        waiting_call w = std::move(waiting_.front());
        waiting_.pop_front();
        if (now.monotonic_ms - w.since_ms >= wait_ms_) {
            refuse(std::move(w.what), now);
            continue;
        }
        const bool serves = copy_.serves();
        const bool done = std::visit(
            overloaded{
                [&](hub::attach& a) { return serves && attach_now(a, w.since_ms, now); },
                [&](hub::query& q) {
                    if (serves) answer_now(q, now);
                    return serves;
                },
            },
            w.what
        );
        if (!done) waiting_.push_back(std::move(w));
    }
}

void log_readers::refuse(call&& what, hub::instant now) {
    const auto error = [](std::uint64_t id) {
        return hub::make_error(id, error_code::broker_unavailable, no_broker);
    };
    std::visit(
        overloaded{
            [&](hub::attach& a) {
                const hub::shard_index to = a.from.shard;
                sessions_.post(
                    to, hub::attach_refused{a.from, a.token, std::move(a.channel), error(a.id), a.weight}, now
                );
            },
            [&](hub::query& q) {
                sessions_.post(q.from.shard, hub::reply{q.from, error(q.id), 0, hub::text_weight}, now);
            },
        },
        what
    );
}

}  // namespace pulsewire::cluster
