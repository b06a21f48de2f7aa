#include "common/channel/channels.hpp"

#include "common/base/overloaded.hpp"
#include "common/channel/keyed.hpp"
#include "common/channel/recovery.hpp"
#include "common/channel/refusals.hpp"
#include "common/exchange/message_text.hpp"

#include <cstdint>
#include <iterator>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace pulsewire::hub {
namespace {

// The time from one sweep to the next of all channels for publications and keys that are too old.
constexpr std::int64_t channels_sweep_ms = 30'000;

// The channels that one call of let_leave() looks at, and the members that it takes out of their lists, each
// of whom all the others of a channel may be told.
constexpr std::size_t leaving_looked_at_max = 1'024, leaving_max = 64;

// About the line of a publication without its payload.
constexpr std::uint64_t publication_line_bytes = 128;

}  // namespace

channels::channels(const config& settings, session_port& sessions, output& out)
    : config_(settings),
      sessions_(sessions),
      out_(out),
      stores_(out, settings.store_generation),
      table_(settings, stores_, counters_),
      idempotency_(settings.bounds.idempotency_ms, settings.bounds.idempotency_keys_max, settings.secret),
      unstored_(settings.secret) {}

void channels::receive(channel_change&& value, instant now) {
    std::visit(
        overloaded{
            [&](publish& m) { order(m.as<std::string_view>(), now); },
            [&](join& m) { on(std::move(m), now); },
            [&](part& m) { on(std::move(m), now); },
            [&](ask& m) { on(std::move(m), now); },
            [&](unask& m) { on(std::move(m), now); },
        },
        value
    );
}

void channels::receive(channel_read&& value, instant now) {
    std::visit(
        overloaded{
            [&](attach& m) { on(std::move(m), now); },
            [&](detach& m) { on(std::move(m), now); },
            [&](query& m) { on(std::move(m), now); },
        },
        value
    );
}

void channels::broadcast(const channel& c, message_ptr m, instant now) {
    for (const shard_index& shard : c.shards)
        sessions_.post(shard, deliver{&shard == &c.shards.back() ? std::move(m) : m}, now);
}

// --- subscribing ---

void channels::on(attach&& m, instant now) {
    channel* c = table_.find_or_make(m.channel, now);
    if (c == nullptr) {
        auto error = make_error(m.id, error_code::overloaded, no_room);
        return sessions_.post(
            m.from.shard, attach_refused{m.from, m.token, std::move(m.channel), std::move(error), m.weight},
            now
        );
    }
    // Trimmed first, so that the answer promises no publication that is too old.
    c->log.trim(now.monotonic_ms);
    starting_point start =
        start_of(c->log, m, config_.bounds.recovery_max, now.wall_ms - config_.bounds.recover_ms);
    if (m.seen) ++(start.lost.empty() ? counters_.recoveries : counters_.failed_recoveries);
    subscribed_fields f;
    f.id = m.id;
    f.channel = c->name;
    f.epoch = c->log.epoch();
    f.asked_to_recover = m.seen.has_value();

    attached answer;
    answer.to = m.from;
    answer.token = m.token;
    answer.weight = m.weight;
    answer.channel = c->name;
    answer_with(std::move(start), c->log.keeps_state(), answer, f);
    answer.subscribed = make_subscribed(f);
    if (m.wants_presence) answer.members = members_of(*c);
    // From here on the shard gets every message of the channel. Since posts keep their order, no publication
    // is missed between the replay and the first `deliver`, and none comes twice.
    c->add_shard(m.from.shard);
    table_.changed(*c);
    sessions_.post(m.from.shard, std::move(answer), now);
    // Somebody may be there now who can make room.
    if (m.wants_state && !c->options.keyed && c->wish.is_due(c->log.tail_bytes(), c->options.state_bytes_max))
        sessions_.post(m.from.shard, snapshot_wanted{c->name}, now);
}

void channels::on(detach&& m, instant now) {
    channel* c = table_.find(m.channel);
    if (c == nullptr) return;
    c->remove_shard(m.from);
    // The idle time of a channel starts when its last shard leaves.
    c->used_ms = now.monotonic_ms;
    table_.used(*c);
    table_.forget_if_empty(*c);
}

// --- presence ---

void channels::on(join&& m, instant now) {
    channel* c = table_.find_or_make(m.channel, now);
    if (c == nullptr) return;  // the attach that follows is refused
    const std::uint64_t connection = node_wide(m.from, m.token);
    const std::uint32_t members_max = config_.bounds.presence_members_max;
    if (c->presence.is_full_for(m.session, members_max)) {
        const std::string gone = c->presence.make_room(m.source);
        if (!gone.empty()) broadcast(*c, make_leave(c->name, gone), now);
    }
    if (!c->presence.join(m.session, connection, m.as, members_max, m.source)) return;
    c->members_told.clear();
    broadcast(*c, make_join(c->name, m.session, m.as), now);
}

// The first page of the list, then a join for every other member: no message is large, and clients need to
// know nothing of pages. Made once for all who come until the list changes.
const std::vector<message_ptr>& channels::members_of(channel& c) const {
    if (!c.members_told.empty()) return c.members_told;
    const members_page first = c.presence.page_after({}, presence_page_bytes_max);
    c.members_told.push_back(make_members(0, c.name, first.json()));
    if (first.more())
        c.presence.each_after(first.last(), [&](std::string_view session, const shown& as) {
            c.members_told.push_back(make_join(c.name, session, as));
        });
    return c.members_told;
}

void channels::on(part&& m, instant now) {
    channel* c = table_.find(m.channel);
    if (c == nullptr) return;
    c->presence.part(
        m.session, node_wide(m.from, m.token), now.monotonic_ms + config_.bounds.presence_leave_ms
    );
    // The session stays listed until presence_leave_ms has passed (4.7), so the
    // channel is looked at again by tick().
    if (c->presence.leaving()) leaving_.insert(c->name);
    table_.forget_if_empty(*c);
}

bool channels::let_leave(instant now) {
    std::size_t looked_at = 0, left = 0;
    auto name = leaving_.lower_bound(leaving_at_);
    while (name != leaving_.end() && looked_at < leaving_looked_at_max && left < leaving_max) {
        ++looked_at;
        channel* c = table_.find(*name);
        if (c != nullptr) {
            for (const std::string& session : c->presence.take_left(now.monotonic_ms, leaving_max - left)) {
                c->members_told.clear();
                broadcast(*c, make_leave(*name, session), now);
                ++left;
            }
            if (left == leaving_max) break;  // of this channel more may be due
        }
        const bool settled = c == nullptr || !c->presence.leaving();
        if (settled && c != nullptr) table_.forget_if_empty(*c);
        name = settled ? leaving_.erase(name) : std::next(name);
    }
    const bool more = name != leaving_.end();
    leaving_at_ = more ? *name : std::string();
    return more;
}

// --- publishing ---

void channels::answer_publish(const connection_ref& from, std::uint64_t id, message_ptr answer, instant now) {
    if (id != 0) sessions_.post(from.shard, reply{from, std::move(answer), 0}, now);
}

// `m` carries the next offset. From here on readers and subscribers see it.
void channels::put_in_order(channel& c, message_ptr m, const publish_key& key, instant now) {
    c.log.append(m, now.monotonic_ms);
    table_.used(c);
    ++counters_.publications;
    if (!key.empty())
        idempotency_.remember(
            c.name, c.log.epoch(), key.text, {m->offset, key.content}, key.publisher, now.monotonic_ms
        );
    if (config_.is_forwarded(c.name)) out_.news.push_back({c.name, m->offset, m->offset});
    if (m->is_snapshot) {
        if (c.parts_coming != 0) --c.parts_coming;
        m = make_snapshot_mark(*m);
    }
    broadcast(c, std::move(m), now);
    if (!c.log.keeps_state()) return;
    if (c.options.keyed) return make_snapshot(c, now);
    if (c.wish.is_due(c.log.tail_bytes(), c.options.state_bytes_max)) ask_for_snapshot(c, now);
}

// True when the publish repeats an earlier one. Otherwise its key belongs to another content,
// and it is answered with the error.
bool channels::repeats(const publish_view& p, const idempotency_window::known& before, instant now) {
    if (before.is(p.content)) {
        ++counters_.duplicates;
        return true;
    }
    ++counters_.keys_reused;
    auto error = make_error(
        p.id, error_code::key_reused, "another message was published in this channel with the same key"
    );
    answer_publish(p.from, p.id, std::move(error), now);
    return false;
}

void channels::order(const publish_view& p, instant now) {
    if (p.transient) {
        // A channel that does not exist has no subscriber, so none is made for a transient message.
        if (channel* c = table_.find(p.channel); c != nullptr)
            broadcast(*c, make_message(p, 0, c->time_at(now.wall_ms), c->options.slow_consumers), now);
        return answer_publish(p.from, p.id, make_published(p.id, p.channel, {}, 0), now);
    }
    channel* c = table_.find_or_make(p.channel, now);
    if (c == nullptr)
        return answer_publish(p.from, p.id, make_error(p.id, error_code::overloaded, no_room), now);
    const std::string& epoch = c->log.epoch();
    // A repetition gets the first position; nothing is stored or delivered again.
    if (!p.key.empty()) {
        if (const auto before = idempotency_.find(c->name, epoch, p.key, now.monotonic_ms)) {
            if (!repeats(p, *before, now)) return;
            return answer_publish(p.from, p.id, make_published(p.id, c->name, epoch, before->offset), now);
        }
    }
    if (c->log.keeps_state()) {
        auto refused = refused_for_key(*c, p);
        if (refused == nullptr) refused = refused_for_state(*c, p, now);
        if (refused != nullptr) return answer_publish(p.from, p.id, std::move(refused), now);
    }
    if (c->durable()) return keep(*c, p, now);
    // A channel in memory: ordered, kept and delivered at once.
    const std::uint64_t offset = c->log.head() + 1;
    c->note_key(p, offset);
    const publish_key key{std::string(p.key), p.content, p.publisher};
    put_in_order(*c, make_message(p, offset, c->time_at(now.wall_ms), c->options.slow_consumers), key, now);
    // After the broadcast: a publisher that is subscribed here gets its own
    // message before the acknowledgement.
    answer_publish(p.from, p.id, make_published(p.id, c->name, epoch, offset), now);
    table_.shrink();
}

// --- state (protocol 4.29) ---

// The error where the channel cannot keep the publication with everything since its newest snapshot; null
// where it can. What is on its way to the disk is counted when it is there.
message_ptr channels::refused_for_state(channel& c, const publish_view& p, instant now) {
    const std::uint64_t bytes =
        p.payload.size() + publication_line_bytes + channel_log::publication_overhead_bytes;
    std::uint64_t before = c.log.tail_bytes();
    std::uint64_t most = c.options.state_bytes_max;
    if (c.options.keyed) most = keyed_bytes_max(most, takes_away(p.payload, p.binary), bool(p.snapshot));
    if (p.snapshot) {
        if (!p.snapshot.epoch.empty() && p.snapshot.epoch != c.log.epoch())
            return make_error(p.id, error_code::stale_snapshot, snapshot_of_another_log);
        if (p.snapshot.covers > c.log.head())
            return make_error(p.id, error_code::invalid_frame, covers_too_much);
        if (p.snapshot.covers <= c.log.covers())
            return make_error(p.id, error_code::stale_snapshot, stale_snapshot);
        before = c.log.bytes_behind(p.snapshot);
    }
    if (before + bytes > most) {
        if (!c.options.keyed && c.wish.is_due_when_full(now.monotonic_ms)) ask_for_snapshot(c, now);
        return make_error(p.id, error_code::state_full, state_full);
    }
    if (!table_.make_room(bytes))
        return make_error(p.id, error_code::state_full, "the server keeps as much as it may");
    return nullptr;
}

void channels::ask_for_snapshot(channel& c, instant now) {
    if (c.shards.empty()) return;
    sessions_.post(c.shards[c.wish.turn_of(c.shards.size())], snapshot_wanted{c.name}, now);
}

// --- keyed channels (protocol 4.32) ---

message_ptr channels::refused_for_key(channel& c, const publish_view& p) {
    if (!p.if_offset) return nullptr;
    if (c.keys == nullptr) {
        c.keys = std::make_unique<key_index>();
        for (const message_ptr& part : c.log.snapshot_parts()) c.keys->take_part(part->payload());
        const auto take = [&](const message& m) {
            if (!m.is_snapshot)
                c.keys->take(key_of(m.type(), m.conflate()), m.offset, takes_away(m.payload(), m.binary));
        };
        for (const message_ptr& m : c.log.after(c.log.covers(), SIZE_MAX)) take(*m);
        unstored_.for_each_of(c, take);
    }
    const std::uint64_t newest = c.keys->offset_of(key_of(p.type, p.conflate));
    const bool same_log = p.if_epoch.empty() || p.if_epoch == c.log.epoch();
    if (same_log && *p.if_offset == newest) return nullptr;
    return make_error(p.id, error_code::conflict, key_has_changed, {}, newest);
}

void channels::make_snapshot(channel& c, instant now) {
    if (c.parts_coming != 0) return;
    if (!wants_keyed_snapshot(c.log.tail_bytes(), c.log.snapshot_bytes(), c.options.state_bytes_max)) return;
    // A disk that does not keep up gets no more; the next publication asks again.
    if (c.durable() && unstored_.bytes() > config_.bounds.storage_queue_bytes_max) return;
    publish_view p;
    p.channel = c.name;
    p.type = keyed_snapshot_type;
    p.snapshot.covers = c.log.head();
    const std::vector<std::string> parts =
        keyed_snapshot(c.log.snapshot_parts(), c.log.after(c.log.covers(), SIZE_MAX));
    std::uint64_t bytes = 0;
    for (const std::string& part : parts)
        bytes += part.size() + publication_line_bytes + channel_log::publication_overhead_bytes;
    if (!table_.make_room(bytes)) return;
    const std::string id = "covers-" + std::to_string(p.snapshot.covers);
    if (parts.size() > 1) p.snapshot.id = id;
    p.snapshot.parts = static_cast<std::uint16_t>(parts.size());
    c.parts_coming = parts.size();
    for (std::size_t i = 0; i < parts.size(); ++i) {
        p.payload = parts[i];
        p.snapshot.part = static_cast<std::uint16_t>(i + 1);
        if (c.durable())
            keep(c, p, now);
        else
            put_in_order(
                c, make_message(p, c.log.head() + 1, c.time_at(now.wall_ms), c.options.slow_consumers), {},
                now
            );
    }
}

// --- durable channels: a publication waits here until it is safe ---

void channels::keep(channel& c, const publish_view& p, instant now) {
    if (const auto before = unstored_.find(c, p.key)) {
        if (!repeats(p, *before, now)) return;
        // The first publish is not safe yet, so the repetition waits for the same operation.
        return unstored_.push({stores_.number(), &c, nullptr, {}, p.from, p.id, before->offset});
    }
    // Memory for waiting publications is bounded; a disk that is too slow is reported to the publishers.
    if (unstored_.bytes() > config_.bounds.storage_queue_bytes_max) {
        auto error = make_error(p.id, error_code::overloaded, "the disk does not keep up; try again later");
        return answer_publish(p.from, p.id, std::move(error), now);
    }
    // The store may hold publications after head() that were never acknowledged. They go
    // before their offsets are given again.
    if (std::exchange(c.truncate_first, false)) stores_.store(truncate_channel{c.name, c.log.head()});
    if (!std::exchange(c.noted, true)) stores_.store(keep_channel{c.name, c.log.epoch(), c.log.head()});
    if (!p.key.empty()) keys_stored_ms_ = now.wall_ms;

    unstored_publish waiting;
    waiting.where = &c;
    // Offsets are given now, in the order of the publishes; the log gets each publication when it is safe.
    waiting.offset = c.log.head() + c.unstored + 1;
    c.note_key(p, waiting.offset);
    waiting.what = make_message(p, waiting.offset, c.time_at(now.wall_ms), c.options.slow_consumers);
    waiting.from = p.from;
    waiting.id = p.id;
    stores_.store(keep_publication{waiting.what, c.log.epoch(), std::string(p.key), p.content});
    waiting.number = stores_.number();
    waiting.key = {std::string(p.key), p.content, p.publisher};
    unstored_.push(std::move(waiting));
}

void channels::stored(std::uint64_t number, instant now) {
    // The operations are safe in their order, and so the waiting publishes are answered from the front.
    while (!unstored_.empty() && unstored_.front().number <= number) {
        const unstored_publish p = unstored_.pop();
        channel& c = *p.where;
        if (p.what != nullptr) {
            put_in_order(c, p.what, p.key, now);
            if (c.log.oldest() >= c.stored_oldest + trim_batch) stores_.trim(c);
        }
        answer_publish(p.from, p.id, make_published(p.id, c.name, c.log.epoch(), p.offset), now);
    }
    table_.shrink();
}

void channels::store_failed(std::uint32_t term, error_code code, std::string_view text, instant now) {
    if (term != stores_.term()) return;  // an earlier report of the same failure
    // Operations already on their way carry the old term, so the store drops them.
    stores_.begin_term();
    while (!unstored_.empty()) {
        const unstored_publish p = unstored_.pop();
        ++counters_.unstored;
        // The store may or may not hold this publication. The next one takes the same offset, so a
        // truncation has to go before it.
        p.where->truncate_first = true;
        p.where->keys.reset();
        p.where->parts_coming = 0;
        p.where->noted = false;
        answer_publish(p.from, p.id, make_error(p.id, code, text), now);
    }
}

void channels::restore(restored_channel&& kept, instant now) {
    const std::string name = kept.name;
    const std::uint64_t head = kept.head;
    if (table_.restore(std::move(kept), now) && head != 0 && config_.is_forwarded(name))
        out_.news.push_back({.channel = name, .first = head, .head = head, .is_kept = true});
}

void channels::restore(const restored_key& kept, instant now) {
    const channel* c = table_.find(kept.channel);
    if (c == nullptr || c->log.epoch() != kept.epoch) return;
    const std::int64_t age_ms = std::max<std::int64_t>(0, now.wall_ms - kept.time_ms);
    keys_stored_ms_ = std::max(keys_stored_ms_, kept.time_ms);
    // An expired key must not be remembered: the same key may have been used again since.
    if (age_ms > config_.bounds.idempotency_ms) return;
    // The publisher is not stored, so restored keys share one publisher of their own.
    idempotency_.remember(
        kept.channel, kept.epoch, kept.key, {kept.offset, kept.content}, 0, now.monotonic_ms - age_ms
    );
}

// --- reading ---

void channels::on(query&& q, instant now) {
    channel* c = table_.find(q.channel);
    if (q.of == query::kind::presence) {
        members_page page(presence_page_bytes_max);
        if (c != nullptr) page = c->presence.page_after(q.after, presence_page_bytes_max);
        auto answer = make_members(q.id, q.channel, page.json(), page.more());
        return sessions_.post(q.from.shard, reply{q.from, std::move(answer), 0, text_weight}, now);
    }
    if (c == nullptr) {
        // Reading makes no channel; otherwise an outsider could fill the memory with names.
        auto nothing = make_history(q.id, q.channel, table_.epoch_for(q.channel), 0, false, false, "[]");
        return sessions_.post(q.from.shard, reply{q.from, std::move(nothing), 0, text_weight}, now);
    }
    c->log.trim(now.monotonic_ms);
    c->used_ms = now.monotonic_ms;
    table_.used(*c);
    const history_page page = page_of(c->log, q);
    auto answer = make_history(
        q.id, c->name, c->log.epoch(), c->log.head(), page.more, page.missed, json_array(page.publications)
    );
    sessions_.post(q.from.shard, reply{q.from, std::move(answer), 0, text_weight}, now);
}

// --- requests between clients ---

// The asked session must be present; its newest connection gets the request (4.18).
void channels::on(ask&& m, instant now) {
    const channel* c = table_.find(m.channel);
    const std::uint64_t where = c == nullptr ? 0 : c->presence.connection_of(m.to);
    if (where == 0) {
        auto error =
            make_error(m.id, error_code::not_present, "nobody of that session shows itself in the channel");
        return sessions_.post(m.from.shard, reply{m.from, std::move(error), m.id}, now);
    }
    sessions_.post(shard_of(where), asked{std::move(m), token_of(where)}, now);
}

// The owner does not remember which shard has the request, so all shards with subscribers get the withdrawal.
void channels::on(unask&& m, instant now) {
    const channel* c = table_.find(m.channel);
    if (c == nullptr) return;
    for (const shard_index shard : c->shards) sessions_.post(shard, withdrawn{m.from, m.id, m.channel}, now);
}

// --- the passing of time ---

bool channels::tick(instant now) {
    const bool more = let_leave(now);
    idempotency_.trim(now.monotonic_ms);
    // A sweep looks through all channels, so it is rarer than a tick.
    if (!sweeping_) {
        if (now.monotonic_ms - swept_ms_ < channels_sweep_ms) return more;
        swept_ms_ = now.monotonic_ms;
        table_.begin_sweep();
    }
    sweeping_ = table_.sweep_on(now);
    if (!sweeping_) sweep_keys(now);
    return more;
}

// The store forgets keys by the wall clock, a little later than they are forgotten here.
void channels::sweep_keys(instant now) {
    // Nothing to forget on the disk; a server without durable channels never writes.
    if (keys_stored_ms_ == 0) return;
    const std::int64_t forgotten_before_ms = now.wall_ms - config_.bounds.idempotency_ms;
    stores_.store(forget_keys{forgotten_before_ms});
    if (keys_stored_ms_ < forgotten_before_ms) keys_stored_ms_ = 0;
}

}  // namespace pulsewire::hub
