// The hub as the owner of channels: order, history, recovery, presence.

#include "common/base/random.hpp"
#include "common/hub/hub.hpp"
#include "common/hub/message_text.hpp"

namespace pulsewire::hub {
namespace {

// How often all channels are looked through for what is too old.
constexpr std::int64_t channels_sweep_ms = 30'000;

// Where a new subscription starts, and what it gets first.
struct starting_point {
    std::uint64_t offset = 0;
    std::vector<message_ptr> replay;
    std::string_view lost;  // why recovery failed; empty: it did not, or was not asked for
};

starting_point start_of(const channel_log& log, const attach& m, std::size_t recovery_max) {
    starting_point start;
    if (m.has_position) {
        if (m.epoch != log.epoch() || m.offset > log.head()) {
            start.lost = "epoch_changed";
        } else if (log.head() - m.offset > recovery_max) {
            start.lost = "limit";
        } else if (!log.reaches_back_to(m.offset)) {
            start.lost = "expired";
        } else {
            start.offset = m.offset;
            start.replay = log.after(m.offset, recovery_max);
            return start;
        }
    }
    start.replay = log.latest(m.latest);
    start.offset = log.head() - start.replay.size();
    return start;
}

// As many from the beginning as may be in one answer.
void shorten(std::vector<message_ptr>& page) {
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < page.size(); ++i) {
        bytes += page[i]->line.size();
        if (bytes > history_page_bytes_max && i > 0) return page.resize(i);
    }
}

// A page of history, and whether there is more in its direction.
std::vector<message_ptr> page_of(const channel_log& log, const query& q, bool& more) {
    std::vector<message_ptr> page = q.backwards
                                        ? log.before(q.has_offset ? q.offset : log.head() + 1, q.limit)
                                        : log.after(q.offset, q.limit);
    shorten(page);
    more = !page.empty() &&
           (q.backwards ? page.back()->offset > log.oldest() : page.back()->offset < log.head());
    return page;
}

std::string json_array(const std::vector<message_ptr>& messages) {
    std::string json = "[";
    for (const message_ptr& m : messages) {
        if (json.size() > 1) json += ',';
        json.append(m->line, 0, m->line.size() - 1);
    }
    return json += ']';
}

std::string epoch_of(std::uint64_t bits) {
    static constexpr char letters[] = "abcdefghijkmnopqrstuvwxyz23456789";
    std::string epoch;
    for (int i = 0; i < 8; ++i, bits /= 32) epoch.push_back(letters[bits % 32]);
    return epoch;
}

}  // namespace

std::string durable_epoch(std::uint64_t store_id, std::uint64_t generation) {
    std::uint64_t state = store_id + generation;
    return epoch_of(next_random(state));
}

// The same as long as the channel has had no publication, so that nothing has to be kept for one that is only
// read. It changes when a channel that had some is forgotten: then its offsets begin again.
std::string hub::epoch_for(std::string_view channel) const {
    if (options_of(channel).keeps == durability::disk)
        return durable_epoch(config_.store_id, config_.store_generation);
    const std::uint32_t generation = forgotten_[keyed_hash(config_.secret, channel) % forgotten_.size()];
    return epoch_of(sip_hasher<>(config_.secret).number(config_.seed).number(generation).piece(channel).end()
    );
}

channel* hub::find_channel(std::string_view name) {
    const auto found = channels_.find(name);
    return found == channels_.end() ? nullptr : found->second.get();
}

// Null when there are too many.
channel* hub::channel_for(std::string_view name, instant now) {
    channel* c = find_channel(name);
    if (c == nullptr) {
        if (!histories_.has_room_for(name.size())) shrink_histories(channel::bytes_of_name(name.size()));
        if (channels_.size() >= config_.bounds.channels_max || !histories_.has_room_for(name.size()))
            return nullptr;
        auto made = std::make_unique<channel>(std::string(name), epoch_for(name), options_of(name));
        c = channels_.emplace(std::string(name), std::move(made)).first->second.get();
    }
    c->used_ms = now.monotonic_ms;
    histories_.use(*c);
    return c;
}

// Makes room for `wanted` bytes, as far as there are publications to give up. May forget channels.
void hub::shrink_histories(std::uint64_t wanted) {
    while (const std::uint64_t excess = histories_.excess(wanted)) {
        channel* c = histories_.least_used();
        if (c == nullptr) return;
        if (!c->log.empty()) ++counters_.histories_shrunk;
        c->log.give_up(excess);
        histories_.count(*c);
        if (c->log.oldest() >= c->stored_oldest + trim_batch || c->log.empty()) trim_store(*c);
        if (c->unused()) {
            forget(*c);
        } else if (c->log.empty()) {
            histories_.set_aside(*c);
        }
    }
}

// A channel that never had a publication need not be kept for its epoch.
void hub::forget_if_empty(channel& c) {
    if (c.unused() && c.log.head() == 0) forget(c);
}

void hub::broadcast(const channel& c, message_ptr m, instant now) {
    for (const shard_index& shard : c.shards)
        post(shard, deliver{&shard == &c.shards.back() ? std::move(m) : m}, now);
}

void hub::on(attach&& m, instant now) {
    channel* c = channel_for(m.channel, now);
    if (c == nullptr) {
        auto error = make_error(m.id, error_code::overloaded, "the server keeps as many channels as it may");
        return post(
            m.from.shard, attach_refused{m.from, m.token, std::move(m.channel), std::move(error), m.weight},
            now
        );
    }
    c->log.trim(now.monotonic_ms);
    // Listed before the new one is told anything, so that its list of members has itself in it.
    const std::uint64_t connection = node_wide(m.from.shard, m.token);
    if (!m.info.empty() &&
        c->presence.join(m.session, connection, m.info, config_.bounds.presence_members_max))
        broadcast(*c, make_join(c->name, m.session, m.info), now);

    starting_point start = start_of(c->log, m, config_.bounds.recovery_max);
    if (m.has_position) ++(start.lost.empty() ? counters_.recoveries : counters_.failed_recoveries);
    subscribed_fields f;
    f.id = m.id;
    f.channel = c->name;
    f.epoch = c->log.epoch();
    f.offset = start.offset;
    f.replay = start.replay.size();
    f.asked_to_recover = m.has_position;
    f.reason = start.lost;

    attached answer;
    answer.to = m.from;
    answer.token = m.token;
    answer.weight = m.weight;
    answer.channel = c->name;
    answer.subscribed = make_subscribed(f);
    if (m.wants_presence) answer.members = make_members(0, c->name, c->presence.json());
    answer.replay = std::move(start.replay);
    // From here on the shard gets what is published; since posts keep their order, nothing is missed between
    // the replay and the first of those, and nothing comes twice.
    c->add_shard(m.from.shard);
    histories_.count(*c);
    post(m.from.shard, std::move(answer), now);
}

void hub::on(detach&& m, instant now) {
    channel* found = find_channel(m.channel);
    if (found == nullptr) return;
    channel& c = *found;
    if (m.last_of_shard) c.remove_shard(m.from);
    c.used_ms = now.monotonic_ms;
    histories_.use(c);
    if (!m.session.empty()) {
        c.presence.part(
            m.session, node_wide(m.from, m.token), now.monotonic_ms + config_.bounds.presence_leave_ms
        );
        if (c.presence.leaving()) leaving_.insert(c.name);
    }
    forget_if_empty(c);
}

void hub::answer_publish(const connection_ref& from, std::uint64_t id, message_ptr answer, instant now) {
    if (id != 0) post(from.shard, reply{from, std::move(answer), 0}, now);
}

// `m` carries the next offset. From here on everybody sees it.
void hub::put_in_order(channel& c, message_ptr m, const publish_key& key, instant now) {
    c.log.append(m, now.monotonic_ms);
    histories_.use(c);
    ++counters_.publications;
    if (!key.empty())
        idempotency_.remember(
            c.name, c.log.epoch(), key.text, {m->offset, key.content}, key.publisher, now.monotonic_ms
        );
    broadcast(c, std::move(m), now);
}

// Whether the publish repeats one that got its place before; otherwise its key is another one's, and it is
// refused.
bool hub::repeats(const publish_view& p, const idempotency_window::known& before, instant now) {
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

// Gives a publish its place, or the place that it has already.
void hub::order(const publish_view& p, instant now) {
    if (p.transient) {
        // Where there is no channel there is nobody to hear it, and none has to be made.
        if (const channel* c = find_channel(p.channel); c != nullptr)
            broadcast(*c, make_message(p, 0, now.wall_ms, c->options.slow_consumers), now);
        return answer_publish(p.from, p.id, make_published(p.id, p.channel, {}, 0), now);
    }
    channel* c = channel_for(p.channel, now);
    if (c == nullptr) {
        auto error = make_error(p.id, error_code::overloaded, "the server keeps as many channels as it may");
        return answer_publish(p.from, p.id, std::move(error), now);
    }
    const std::string& epoch = c->log.epoch();
    if (!p.key.empty()) {
        if (const auto before = idempotency_.find(c->name, epoch, p.key, now.monotonic_ms)) {
            if (!repeats(p, *before, now)) return;
            return answer_publish(p.from, p.id, make_published(p.id, c->name, epoch, before->offset), now);
        }
    }
    if (c->durable()) return keep(*c, p, now);
    const std::uint64_t offset = c->log.head() + 1;
    const publish_key key{std::string(p.key), p.content, p.publisher};
    put_in_order(*c, make_message(p, offset, now.wall_ms, c->options.slow_consumers), key, now);
    answer_publish(p.from, p.id, make_published(p.id, c->name, epoch, offset), now);
    shrink_histories();
}

void hub::on(query&& q, instant now) {
    channel* c = find_channel(q.channel);
    if (q.what == query::kind::presence) {
        const std::string members = c == nullptr ? "[]" : c->presence.json();
        return post(q.from.shard, reply{q.from, make_members(q.id, q.channel, members), 0, text_weight}, now);
    }
    if (c == nullptr) {
        // Reading makes no channel: an outsider could fill the memory with names.
        auto nothing = make_history(q.id, q.channel, epoch_for(q.channel), 0, false, "[]");
        return post(q.from.shard, reply{q.from, std::move(nothing), 0, text_weight}, now);
    }
    c->log.trim(now.monotonic_ms);
    c->used_ms = now.monotonic_ms;
    histories_.use(*c);
    if (q.has_time) {
        const std::uint64_t first = c->log.first_at(q.time_ms);
        q.has_offset = true;
        q.offset = q.backwards ? first : first - 1;
    }
    bool more = false;
    const auto page = page_of(c->log, q, more);
    auto answer = make_history(q.id, c->name, c->log.epoch(), c->log.head(), more, json_array(page));
    post(q.from.shard, reply{q.from, std::move(answer), 0, text_weight}, now);
}

void hub::sweep_channels(instant now) {
    for (auto name = leaving_.begin(); name != leaving_.end();) {
        channel* c = find_channel(*name);
        if (c != nullptr)
            for (const std::string& session : c->presence.take_left(now.monotonic_ms))
                broadcast(*c, make_leave(*name, session), now);
        const bool settled = c == nullptr || !c->presence.leaving();
        if (settled && c != nullptr) forget_if_empty(*c);
        name = settled ? leaving_.erase(name) : std::next(name);
    }
    if (now.monotonic_ms - channels_swept_ms_ < channels_sweep_ms) return;
    channels_swept_ms_ = now.monotonic_ms;
    for (auto at = channels_.begin(); at != channels_.end();) {
        channel& c = *(at++)->second;  // forget() keeps the others' places
        c.log.trim(now.monotonic_ms);
        histories_.count(c);
        trim_store(c);
        if (c.unused() && now.monotonic_ms - c.used_ms >= config_.bounds.channel_idle_ms) forget(c);
    }
    if (keys_stored_ms_ == 0) return;
    const std::int64_t forgotten_before_ms = now.wall_ms - config_.bounds.idempotency_ms;
    store(forget_keys{forgotten_before_ms});
    if (keys_stored_ms_ < forgotten_before_ms) keys_stored_ms_ = 0;
}

}  // namespace pulsewire::hub
