#include "common/cluster/shared_channels.hpp"

#include "common/channel/presence_room.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace pulsewire::cluster {
namespace {

// Dropped entries of a history are removed when there are at least this many and half of all.
constexpr std::size_t dropped_at_once = 16;

// The generation of a channel as a part of its keys, the same bytes on every machine.
struct generation_text {
    explicit generation_text(std::uint64_t generation) {
        for (int i = 0; i < 8; ++i) bytes[i] = static_cast<char>(generation >> (8 * i));
    }
    std::string_view view() const { return {bytes, sizeof bytes}; }
    char bytes[8];
};

}  // namespace

void shared_channel::drop_oldest() {
    history_bytes_ -= history_[first_]->bytes.size();
    history_[first_++].reset();
    if (kept() == 0) {
        std::vector<publication_ptr>().swap(history_);
        first_ = 0;
    } else if (first_ >= std::max(dropped_at_once, history_.size() / 2)) {
        history_.erase(history_.begin(), history_.begin() + static_cast<std::ptrdiff_t>(first_));
        first_ = 0;
    }
}

template <class Predicate>
std::uint64_t shared_channel::sum_behind(std::uint64_t offset, Predicate is_state) const {
    std::uint64_t bytes = 0;
    for (std::uint64_t o = head_; o > offset && o >= oldest(); --o) {
        const snapshot_view s = at(o)->view().snapshot;
        bytes += entry_bytes + (s && !is_state(o, s) ? 0 : at(o)->bytes.size());
    }
    return bytes;
}

std::uint64_t shared_channel::sum_of_tail() const {
    return sum_behind(covers(), [&](std::uint64_t offset, const snapshot_view&) {
        return snapshots_->has(offset);
    });
}

std::uint64_t shared_channel::snapshot_bytes() const {
    std::uint64_t bytes = 0;
    for (const std::uint64_t offset : snapshots_->parts()) bytes += at(offset)->bytes.size() + entry_bytes;
    return bytes;
}

std::uint64_t shared_channel::newest_of(std::string_view key) {
    if (keys_ == nullptr) {
        keys_ = std::make_unique<hub::key_index>();
        for (const std::uint64_t offset : snapshots_->parts()) keys_->take_part(at(offset)->view().payload);
        for (std::uint64_t o = std::max(covers() + 1, oldest()); o <= head_; ++o) {
            const publish_op p = at(o)->view();
            if (!p.snapshot)
                keys_->take(hub::key_of(p.type, p.conflate), o, hub::takes_away(p.payload, p.binary));
        }
    }
    return keys_->offset_of(key);
}

std::uint64_t shared_channel::bytes_behind(const snapshot_view& s) const {
    return sum_behind(s.covers, [&](std::uint64_t, const snapshot_view& other) {
        return other.covers == s.covers && other.id == s.id && other.parts == s.parts;
    });
}

void shared_channel::leave_mark(std::uint64_t offset) {
    if (offset < oldest()) return;
    publication_ptr& what = history_[first_ + static_cast<std::size_t>(offset - oldest())];
    publish_op mark = what->view();
    mark.payload = "null";
    mark.binary = false;
    mark.snapshot = {mark.snapshot.covers};
    auto left = std::make_shared<publication>(*what);
    left->bytes = encode(operation{mark});
    history_bytes_ -= what->bytes.size();
    history_bytes_ += left->bytes.size();
    what = std::move(left);
}

void shared_channel::count(const publication& newest, const snapshot_view& s) {
    if (!keeps_state()) return;
    tail_bytes_ += newest.bytes.size() + entry_bytes;
    if (!s && keys_ != nullptr) {
        const publish_op p = newest.view();
        keys_->take(hub::key_of(p.type, p.conflate), newest.offset, hub::takes_away(p.payload, p.binary));
    }
    if (!s) return;
    for (const std::uint64_t offset : snapshots_->add(newest.offset, s)) leave_mark(offset);
    tail_bytes_ = sum_of_tail();
}

bool shared_channel::lists(std::string_view session) const {
    const auto m = members_.lower_bound(member_id{std::string(session), 0, 0});
    return m != members_.end() && m->first.session == session;
}

void shared_channel::write(byte_writer& w) const {
    w.text(name_);
    w.length(generation_);
    w.length(head_);
    w.i64(last_time_ms_);
    w.i64(used_ms_);
    w.length(kept());
    for (std::uint64_t o = oldest(); o <= head_; ++o) {
        w.i64(at(o)->time_ms);
        w.i64(at(o)->log_ms);
        w.length(at(o)->renewals);
        w.text(at(o)->bytes);
    }
    w.length(last_member_);
    w.length(members_.size());
    for (const auto& [id, as] : members_) {
        w.text(id.session);
        w.u64(id.process);
        w.u64(id.token);
        w.text(as.info);
        w.text(as.user);
        w.text(as.user_info);
        w.u64(as.source);
        w.length(as.number);
    }
    if (keeps_state()) snapshots_->write(w);
}

bool shared_channel::read(byte_reader& r, const shared_options& options) {
    name_ = r.text(record_bytes_max);
    generation_ = r.length();
    head_ = r.length();
    last_time_ms_ = r.i64();
    used_ms_ = r.i64();
    const std::uint64_t many = r.length();
    if (many > head_) return false;
    for (std::uint64_t i = 0; i < many && r.ok(); ++i) {
        auto p = std::make_shared<publication>();
        p->offset = head_ - many + 1 + i;
        p->time_ms = r.i64();
        p->log_ms = r.i64();
        p->renewals = r.length();
        p->bytes = r.text(record_bytes_max);
        history_bytes_ += p->bytes.size();
        history_.push_back(std::move(p));
    }
    last_member_ = r.length();
    for (std::uint64_t m = r.length(); m > 0 && r.ok(); --m) {
        member_id id;
        id.session = r.text(record_bytes_max);
        id.process = r.u64();
        id.token = r.u64();
        if (!lists(id.session)) ++sessions_;
        listed_member& as = members_[id];
        as.info = r.text(record_bytes_max);
        as.user = r.text(record_bytes_max);
        as.user_info = r.text(record_bytes_max);
        as.source = r.u64();
        as.number = r.length();
    }
    if (options.of(name_).state_bytes_max == 0) return r.ok();
    keep_state();
    snapshots_->read(r);
    const auto is_here = [&](std::uint64_t offset) { return offset >= oldest() && offset <= head_; };
    if (!std::all_of(snapshot_parts().begin(), snapshot_parts().end(), is_here)) return false;
    tail_bytes_ = sum_of_tail();
    return r.ok();
}

void shared_channels::set_options(const shared_options& o) {
    options_ = o;
    keys_.emplace(std::int64_t{o.idempotency_ms}, o.idempotency_keys_max, o.secret);
}

std::size_t shared_channels::bucket_of(std::string_view channel) const {
    return static_cast<std::size_t>(keyed_hash(options_ ? options_->secret : hash_key{}, channel) % buckets);
}

const shared_channel* shared_channels::find(std::string_view channel) const {
    const auto found = by_name_.find(channel);
    return found == by_name_.end() ? nullptr : found->second;
}

std::uint64_t shared_channels::generation_of(std::string_view channel) const {
    const shared_channel* const c = find(channel);
    return c != nullptr ? c->generation() : generations_[bucket_of(channel)];
}

// Null when there is no room for another channel.
shared_channel* shared_channels::make(std::string_view channel, std::int64_t log_ms) {
    const auto found = by_name_.find(channel);
    if (found != by_name_.end()) return found->second;
    if (by_name_.size() >= options_->channels_max) return nullptr;
    shared_channel& c = bare_.emplace_back();
    c.name_ = channel;
    c.generation_ = generations_[bucket_of(channel)];
    c.used_ms_ = log_ms;
    if (options_->of(channel).state_bytes_max != 0) c.keep_state();
    c.place_ = std::prev(bare_.end());
    by_name_.emplace(c.name_, &c);
    bytes_ += c.bytes();
    return &c;
}

void shared_channels::use(shared_channel& c, std::int64_t log_ms) {
    c.used_ms_ = log_ms;
    std::list<shared_channel>& in = list_of(c);
    in.splice(in.end(), in, c.place_);
}

void shared_channels::publish(
    const publish_op& p, std::uint32_t index, const log_name& log, std::int64_t log_ms, std::int64_t time_ms,
    std::vector<effect>& effects
) {
    const auto refuse = [&](refusal why) { effects.emplace_back(refused{index, why}); };
    if (!options_) return refuse(refusal::no_options);
    const auto found = by_name_.find(p.channel);
    shared_channel* c = found == by_name_.end() ? nullptr : found->second;
    fingerprint key;
    if (c != nullptr && !p.key.empty()) {
        key = keys_->id_of(p.channel, generation_text(c->generation_).view(), p.key);
        const auto known = keys_->find(key, log_ms);
        if (known && !known->is(p.content)) return refuse(refusal::key_reused);
        if (known) {
            effects.emplace_back(repeated{index, {log.epoch, c->generation_}, known->offset});
            return;
        }
    }
    if (log_ms - p.accepted_ms > options_->publish_age_max_ms()) return refuse(refusal::too_late);
    if (c == nullptr) {
        c = make(p.channel, log_ms);
        if (c == nullptr) return refuse(refusal::full);
        if (!p.key.empty()) key = keys_->id_of(p.channel, generation_text(c->generation_).view(), p.key);
    }
    if (c->keeps_state()) {
        if (!p.snapshot.epoch.empty() && p.snapshot.epoch != text_of({log.epoch, c->generation_}))
            return refuse(refusal::snapshot_of_another_log);
        if (p.if_offset) {
            const bool same_log = p.if_epoch.empty() || p.if_epoch == text_of({log.epoch, c->generation_});
            const std::uint64_t newest = c->newest_of(hub::key_of(p.type, p.conflate));
            if (!same_log || *p.if_offset != newest) {
                effects.emplace_back(refused{index, refusal::conflict, newest});
                return;
            }
        }
        if (const auto why = refused_for_state(*c, p)) return refuse(*why);
    }
    c->used_ms_ = log_ms;
    c->last_time_ms_ = std::max(c->last_time_ms_, time_ms);
    auto what = std::make_shared<publication>();
    what->offset = c->head_ + 1;
    what->time_ms = c->last_time_ms_;
    what->log_ms = log_ms;
    what->renewals = log.renewals;
    what->bytes = p.encoded;
    if (!p.key.empty()) keys_->restore(key, {what->offset, p.content}, p.publisher, log_ms);
    effects.emplace_back(published{index, {log.epoch, c->generation_}, what});
    append(*c, std::move(what), p.snapshot);
    trim(*c, log_ms);
}

std::optional<refusal> shared_channels::refused_for_state(const shared_channel& c, const publish_op& p)
    const {
    const std::uint64_t bytes = p.encoded.size() + shared_channel::entry_bytes;
    const history_options& o = options_->of(c.name());
    std::uint64_t most = o.state_bytes_max;
    if (o.keyed) most = hub::keyed_bytes_max(most, hub::takes_away(p.payload, p.binary), bool(p.snapshot));
    std::uint64_t before = c.tail_bytes();
    if (p.snapshot) {
        if (p.snapshot.covers > c.head()) return refusal::not_there_yet;
        if (p.snapshot.covers <= c.covers()) return refusal::stale_snapshot;
        before = c.bytes_behind(p.snapshot);
    }
    const bool fits = before + bytes <= most && bytes_ + bytes <= options_->history_bytes_total_max;
    return fits ? std::nullopt : std::optional(refusal::state_full);
}

void shared_channels::append(shared_channel& c, publication_ptr what, const snapshot_view& s) {
    bytes_ -= c.bytes();
    std::list<shared_channel>& before = list_of(c);
    c.head_ = what->offset;
    c.history_bytes_ += what->bytes.size();
    c.history_.push_back(std::move(what));
    std::list<shared_channel>& now = list_of(c);
    now.splice(now.end(), before, c.place_);
    c.count(*c.history_.back(), s);
    bytes_ += c.bytes();
}

void shared_channels::drop_oldest(shared_channel& c) {
    bytes_ -= c.bytes();
    std::list<shared_channel>& before = list_of(c);
    c.drop_oldest();
    if (c.kept() == 0) bare_.splice(bare_.end(), before, c.place_);
    bytes_ += c.bytes();
}

// What the namespace keeps no more, and then what all channels together cannot keep.
void shared_channels::trim(shared_channel& c, std::int64_t log_ms) {
    const history_options& o = options_->of(c.name_);
    while (c.kept() > 0 && c.may_go(c.oldest()) &&
           (c.kept() > o.history_count_max || c.history_bytes_ > o.history_bytes_max ||
            log_ms - c.at(c.oldest())->log_ms > o.history_age_ms))
        drop_oldest(c);
    while (bytes_ > options_->history_bytes_total_max && !keeping_.empty()) drop_oldest(keeping_.front());
}

void shared_channels::join(
    process_id by, const join_op& j, std::int64_t log_ms, std::vector<effect>& effects
) {
    if (!options_) return;
    shared_channel* const c = make(j.channel, log_ms);
    if (c == nullptr) return;
    const bool listed = c->lists(j.session);
    if (!listed && c->sessions_ >= options_->presence_members_max && !make_room(*c, j.source, effects))
        return;
    shown_member as{std::string(j.info), std::string(j.user), std::string(j.user_info)};
    use(*c, log_ms);
    bool news = !listed;
    for (auto m = c->members_.lower_bound({std::string(j.session), 0, 0});
         !news && m != c->members_.end() && m->first.session == j.session; ++m)
        news = !(static_cast<const shown_member&>(m->second) == as);
    if (!listed) ++c->sessions_;
    if (news) effects.emplace_back(member_came{c->name_, std::string(j.session), as});
    listed_member& m = c->members_[{std::string(j.session), by, j.token}];
    if (m.number == 0) m.number = ++c->last_member_;
    m.source = j.source;
    static_cast<shown_member&>(m) = std::move(as);
}

void shared_channels::remove_member(
    shared_channel& c, std::map<member_id, listed_member>::iterator m, std::vector<effect>& effects
) {
    const std::string session = m->first.session;
    c.members_.erase(m);
    if (c.lists(session)) return;
    --c.sessions_;
    effects.emplace_back(member_gone{c.name_, session});
}

// Takes a session off the full list for a new one of the source. False: nobody has to go. Of a session with
// several subscriptions the first counts.
bool shared_channels::make_room(shared_channel& c, std::uint64_t source, std::vector<effect>& effects) {
    hub::presence_room room;
    const std::string* last = nullptr;
    for (const auto& [id, m] : c.members_) {
        if (last != nullptr && *last == id.session) continue;
        last = &id.session;
        room.add(id.session, m.source, m.number);
    }
    const std::string session(room.leaves_for(source));
    if (session.empty()) return false;
    while (c.lists(session)) remove_member(c, c.members_.lower_bound({session, 0, 0}), effects);
    return true;
}

void shared_channels::part(
    process_id by, const part_op& p, std::int64_t log_ms, std::vector<effect>& effects
) {
    const auto found = by_name_.find(p.channel);
    if (found == by_name_.end()) return;
    shared_channel& c = *found->second;
    const auto m = c.members_.find({std::string(p.session), by, p.token});
    if (m == c.members_.end()) return;
    remove_member(c, m, effects);
    use(c, log_ms);
}

void shared_channels::part_all(process_id by, std::int64_t log_ms, std::vector<effect>& effects) {
    std::vector<shared_channel*> touched;
    for (std::list<shared_channel>* const in : {&keeping_, &stateful_, &bare_})
        for (shared_channel& c : *in) {
            const std::size_t before = c.members_.size();
            for (auto m = c.members_.begin(); m != c.members_.end();) {
                const auto next = std::next(m);
                if (m->first.process == by) remove_member(c, m, effects);
                m = next;
            }
            if (c.members_.size() != before) touched.push_back(&c);
        }
    for (shared_channel* const c : touched) use(*c, log_ms);
}

void shared_channels::forget_old(
    const fingerprint& log_epoch, std::int64_t log_ms, std::vector<effect>& effects
) {
    if (!options_) return;
    keys_->trim(log_ms);
    forget_idle(keeping_, log_epoch, log_ms, effects);
    forget_idle(bare_, log_epoch, log_ms, effects);
}

// A channel that kept nothing any more since it was used last stands behind others that were used later, and
// goes with them.
void shared_channels::forget_idle(
    std::list<shared_channel>& among, const fingerprint& log_epoch, std::int64_t log_ms,
    std::vector<effect>& effects
) {
    const std::int64_t idle_ms = std::max<std::int64_t>(options_->channel_idle_ms, options_->idempotency_ms);
    while (!among.empty() && log_ms - among.front().used_ms_ > idle_ms) {
        shared_channel& c = among.front();
        if (!c.members_.empty()) {
            use(c, log_ms);
            continue;
        }
        // A channel without publications leaves nothing behind that an offset could name.
        if (c.head_ > 0) ++generations_[bucket_of(c.name_)];
        effects.emplace_back(channel_forgotten{c.name_, {log_epoch, c.generation_}});
        bytes_ -= c.bytes();
        by_name_.erase(c.name_);
        among.pop_front();
    }
}

void shared_channels::write(byte_writer& w) const {
    w.text(options_ ? encode(*options_) : std::string());
    if (!options_) return;
    for (const std::uint64_t g : generations_) w.length(g);
    w.length(keeping_.size() + stateful_.size());
    for (const shared_channel& c : keeping_) c.write(w);
    for (const shared_channel& c : stateful_) c.write(w);
    w.length(bare_.size());
    for (const shared_channel& c : bare_) c.write(w);
    w.length(keys_->size());
    keys_->each([&](const fingerprint& id, const auto& what, std::uint64_t publisher, std::int64_t at_ms) {
        w.hash(id);
        w.length(what.offset);
        w.u64(what.content);
        w.u64(publisher);
        w.i64(at_ms);
    });
}

bool shared_channels::read(byte_reader& r) {
    const std::string_view encoded = r.text(record_bytes_max);
    if (!r.ok()) return false;
    if (encoded.empty()) return true;
    const auto o = decode_options(encoded);
    if (!o) return false;
    set_options(*o);
    for (std::uint64_t& g : generations_) g = r.length();
    for (std::list<shared_channel>* const in : {&keeping_, &bare_})
        for (std::uint64_t n = r.length(); n > 0 && r.ok(); --n) {
            shared_channel& c = in->emplace_back();
            c.place_ = std::prev(in->end());
            if (!c.read(r, *options_) || (c.kept() > 0) != (in == &keeping_)) return false;
            if (&list_of(c) == &stateful_) stateful_.splice(stateful_.end(), keeping_, c.place_);
            if (!by_name_.emplace(c.name_, &c).second) return false;
            bytes_ += c.bytes();
        }
    for (std::uint64_t n = r.length(); n > 0 && r.ok(); --n) {
        const fingerprint id = r.hash();
        const std::uint64_t offset = r.length();
        const std::uint64_t content = r.u64();
        const std::uint64_t publisher = r.u64();
        keys_->restore(id, {offset, content}, publisher, r.i64());
    }
    return r.ok();
}

}  // namespace pulsewire::cluster
