#include "common/cluster/log_partition.hpp"

#include "common/base/overloaded.hpp"
#include "common/channel/keyed.hpp"
#include "common/channel/refusals.hpp"
#include "common/exchange/message_text.hpp"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <utility>

namespace pulsewire::cluster {
namespace {

// Publishes that wait for a copy, in one partition; beyond: broker_unavailable at once.
constexpr std::size_t waiting_publishes_max = 65'536;

}  // namespace

log_partition::log_partition(
    const hub::config& settings, replica_options options, hub::session_port& sessions,
    hub::channel_counters& counted, log_output& out
)
    : config_(settings),
      index_(options.partition),
      wait_ms_(options.queue_ms),
      sessions_(sessions),
      counters_(counted),
      out_(out),
      replica_(std::move(options)),
      readers_(settings, replica_, sessions, counted, wait_ms_),
      notes_(settings, index_, replica_, readers_, sessions, out, *this) {}

// Whatever handles an event may change a channel, and so bring others: they come after it.
template <class Call>
void log_partition::drive(Call&& call, hub::instant now) {
    call(output_);
    std::move(output_.broker.begin(), output_.broker.end(), std::back_inserter(out_.broker));
    output_.broker.clear();
    if (std::exchange(handling_, true)) return;
    while (!output_.events.empty()) {
        events_.clear();
        std::swap(events_, output_.events);
        for (replica_event& e : events_) handle(std::move(e), now);
    }
    handling_ = false;
}

void log_partition::on(const from_broker& what, hub::instant now) {
    drive([&](replica_output& out) { replica_.on(what, now, out); }, now);
}

void log_partition::tick(hub::instant now) {
    drive([&](replica_output& out) { replica_.on_time(now, out); }, now);
    for (; !leaving_.empty() && leaving_.front().due_ms <= now.monotonic_ms; leaving_.pop_front()) {
        const hub::part& p = leaving_.front().what;
        const part_op op{p.channel, p.session, hub::node_wide(p.from, p.token)};
        drive([&](replica_output& out) { replica_.part(op, now, out); }, now);
    }
    look_at_waiting(now);
    readers_.look_at_waiting(now);
    look_at_turn();
    notes_.forget_overdue(now.monotonic_ms);
    standing_.look(replica_.serves(), now.monotonic_ms);
}

partition_facts log_partition::facts() const {
    partition_facts f;
    f.partition = index_;
    f.serves = replica_.serves();
    f.degraded_because = standing_.told();
    f.waiting = publishes_.size() + waiting_.size() + readers_.waiting();
    const partition_state* const copy = replica_.state();
    if (copy == nullptr) return f;
    f.records = copy->chain().position();
    f.bytes = copy->bytes_since_checkpoint();
    f.nodes = copy->processes().alive().size();
    f.channels = copy->channels().size();
    return f;
}

// --- what the copy reports ---

void log_partition::handle(replica_event&& e, hub::instant now) {
    std::visit(
        overloaded{
            [&](const serving&) {
                look_at_turn();
                readers_.on_serving(now);
                notes_.on_serving();
                look_at_waiting(now);
            },
            [&](degraded& d) {
                // Also where it serves again by now: the copy may be another one.
                if (std::exchange(is_ours_, false)) out_.turns.push_back({index_, false});
                standing_.degraded(std::move(d.reason), now.monotonic_ms);
                readers_.on_degraded();
            },
            [&](still_away& s) { standing_.still_away(std::move(s.reason)); },
            // Where the subscribers stand is known here, and is judged when another copy serves.
            [&](const copy_lost&) {
                readers_.on_copy_lost();
                notes_.on_copy_lost();
            },
            [&](const restated& r) { readers_.on_restated(r, now); },
            [&](const shown& s) { on_effect(s.what, now); },
            [&](const accepted& a) { on_outcome(a.id, a, now); },
            [&](const not_accepted& n) {
                switch (n.why) {
                    case refusal::key_reused:
                        ++counters_.keys_reused;
                        return on_failure(
                            n.id, error_code::key_reused,
                            "another message was published in this channel with the same key", now
                        );
                    case refusal::full:
                        return on_failure(n.id, error_code::overloaded, hub::no_room, now);
                    case refusal::stale_snapshot:
                        return on_failure(n.id, error_code::stale_snapshot, hub::stale_snapshot, now);
                    case refusal::snapshot_of_another_log:
                        return on_failure(
                            n.id, error_code::stale_snapshot, hub::snapshot_of_another_log, now
                        );
                    case refusal::conflict:
                        return on_failure(n.id, error_code::conflict, hub::key_has_changed, now, n.offset);
                    case refusal::state_full:
                        if (const auto p = publishes_.find(n.id); p != publishes_.end())
                            readers_.on_full(p->second.channel, now);
                        return on_failure(n.id, error_code::state_full, hub::state_full, now);
                    case refusal::not_there_yet:
                        return on_failure(n.id, error_code::invalid_frame, hub::covers_too_much, now);
                    case refusal::too_late:
                    case refusal::no_options:
                        return on_failure(n.id, error_code::broker_unavailable, no_broker, now);
                }
            },
            [&](const unavailable& u) { on_failure(u.id, error_code::broker_unavailable, no_broker, now); },
            [&](standing_back& s) {
                out_.warnings.push_back(s.reason);
                standing_.stands_back(std::move(s.reason));
            },
        },
        e
    );
}

void log_partition::on_effect(const effect& e, hub::instant now) {
    std::visit(
        overloaded{
            [&](const published& p) {
                ++counters_.publications;
                if (config_.is_forwarded(p.what->channel()))
                    out_.news.push_back(
                        {std::string(p.what->channel()), p.what->offset, p.what->offset, p.what->log_ms}
                    );
                readers_.on_publication(*p.what, &p.epoch, now);
                make_snapshot(p.what->channel(), now);
            },
            [&](const passed& p) { readers_.on_publication(*p.what, nullptr, now); },
            [&](const member_came& m) { readers_.on_member(m, now); },
            [&](const member_gone& m) { readers_.on_member(m, now); },
            [&](const channel_forgotten& c) { readers_.on_forgotten(c.channel, now); },
            [&](const noted& n) { notes_.on(n, now); },
            [&](const process_ended& p) { notes_.on(p, now); },
            [&](const digest_differs& d) {
                out_.warnings.push_back(
                    "The copies of two nodes differ in partition " + std::to_string(index_) + " (process " +
                    std::to_string(d.process) +
                    "). This node reads the log anew, once in ten minutes at most; if that does not help, "
                    "please "
                    "report it: it is a fault of Pulsewire."
                );
            },
            // Told to whoever published; new names came as `restated`.
            [](const repeated&) {},
            [](const refused&) {},
            [](const renewed&) {},
        },
        e
    );
}

// --- forwarding ---

// One of those that are alive, by a hash of both: all nodes that have read as much agree, and no record says
// so. Two that have not may forward the same for a moment.
bool log_partition::is_ours_to_forward() const {
    if (!replica_.serves()) return false;
    const auto weight = [&](process_id p) { return keyed_hash({p, index_}, "forward"); };
    const auto& alive = replica_.state()->processes().alive();
    return std::none_of(alive.begin(), alive.end(), [&](const auto& one) {
        return weight(one.first) > weight(replica_.process());
    });
}

void log_partition::look_at_turn() {
    if (config_.forwards.empty() || is_ours_ == is_ours_to_forward()) return;
    is_ours_ = !is_ours_;
    out_.turns.push_back({index_, is_ours_});
}

std::vector<hub::channel_rest> log_partition::rests(std::string_view place_channel) const {
    std::vector<hub::channel_rest> found;
    if (!replica_.serves()) return found;
    const shared_channels& all = replica_.state()->channels();
    std::int64_t since_ms = INT64_MIN;
    if (const shared_channel* const place = all.find(place_channel);
        place != nullptr && place->oldest() <= place->head()) {
        const std::string_view number = place->at(place->head())->view().payload;
        std::from_chars(number.data(), number.data() + number.size(), since_ms);
    }
    all.each([&](const shared_channel& c) {
        if (!config_.is_forwarded(c.name())) return;
        // What is too old is not there for readers, though it may still be removed.
        const std::int64_t from_ms = std::max(since_ms, replica_.state()->kept_since_ms(c.name()));
        std::uint64_t first = c.oldest();
        while (first <= c.head() && c.at(first)->log_ms < from_ms) ++first;
        if (first <= c.head()) found.push_back({c.name(), first - 1, c.head(), c.at(first)->log_ms});
    });
    return found;
}

// --- publishing ---

void log_partition::publish(const hub::publish_view& p, hub::instant now) {
    // Without any copy nothing can be queued for the log, and nothing overtakes what waits.
    if (replica_.state() != nullptr && waiting_.empty()) return void(submit(p, p.id != 0, now));
    hub::publish kept = p.as<std::string>();
    if (waiting_.size() >= waiting_publishes_max) return refuse(kept, now);
    waiting_.push_back({now.monotonic_ms, std::move(kept)});
}

command_id log_partition::submit(const hub::publish_view& p, bool wants_outcome, hub::instant now) {
    publish_op op;
    op.channel = p.channel;
    op.type = p.type;
    op.key = p.transient ? std::string_view() : p.key;
    op.user = p.user;
    op.except = p.except;
    op.conflate = p.conflate;
    op.payload = p.payload;
    op.content = p.content;
    op.publisher = p.publisher;
    op.transient = p.transient;
    op.binary = p.binary;
    op.snapshot = p.snapshot;
    op.if_offset = p.if_offset;
    op.if_epoch = p.if_epoch;
    command_id id = 0;
    if (wants_outcome) {
        id = ++last_command_;
        publishes_.emplace(id, open_publish{p.from, p.id, std::string(p.channel)});
    }
    drive([&](replica_output& out) { replica_.publish(id, op, now, out); }, now);
    return id;
}

void log_partition::look_at_waiting(hub::instant now) {
    while (!waiting_.empty()) {
        const bool is_old = now.monotonic_ms - waiting_.front().since_ms >= wait_ms_;
        if (!is_old && !replica_.serves()) return;
        const waiting_publish w = std::move(waiting_.front());
        waiting_.pop_front();
        if (is_old)
            refuse(w.what, now);
        else
            submit(w.what.as<std::string_view>(), w.what.id != 0, now);
    }
}

void log_partition::refuse(const hub::publish& p, hub::instant now) {
    ++counters_.unstored;
    if (p.id != 0) reply_to(p.from, hub::make_error(p.id, error_code::broker_unavailable, no_broker), now);
}

void log_partition::on_outcome(command_id id, const accepted& what, hub::instant now) {
    if (what.repeated) ++counters_.duplicates;
    const auto found = publishes_.find(id);
    if (found == publishes_.end()) return;
    const open_publish p = std::move(publishes_.extract(found).mapped());
    if (p.id == 0) return on_part(id, p.channel);
    const std::string epoch = what.offset == 0 ? std::string() : text_of(what.epoch);
    reply_to(p.from, hub::make_published(p.id, p.channel, epoch, what.offset), now);
}

void log_partition::on_failure(
    command_id id, error_code code, std::string_view text, hub::instant now, std::uint64_t offset
) {
    if (code == error_code::broker_unavailable) ++counters_.unstored;
    const auto found = publishes_.find(id);
    if (found == publishes_.end()) return;
    const open_publish p = std::move(publishes_.extract(found).mapped());
    if (p.id == 0) return on_part(id, p.channel);
    reply_to(p.from, hub::make_error(p.id, code, text, {}, offset), now);
}

// --- keyed channels ---

void log_partition::make_snapshot(std::string_view channel, hub::instant now) {
    const namespace_options& options = config_.options_of(channel);
    if (!options.keyed || !replica_.serves() || snapshots_.contains(channel)) return;
    const partition_state& copy = *replica_.state();
    const shared_channel* const c = copy.channels().find(channel);
    if (c == nullptr || !c->keeps_state()) return;
    const std::uint64_t bytes_max = options.state_bytes_max;
    if (!hub::wants_keyed_snapshot(c->tail_bytes(), c->snapshot_bytes(), bytes_max)) return;
    // The first may be dead, and the others do not know it yet: where it is urgent, all of them do it. They
    // make the same, and the log takes one of them.
    const bool is_first = copy.processes().alive().begin()->first == replica_.process();
    if (!is_first && c->tail_bytes() < bytes_max / 4 * 3) return;
    const channel_view log(c, {}, options.slow_consumers, INT64_MIN);
    const std::vector<std::string> parts =
        hub::keyed_snapshot(log.snapshot_parts(), log.after(c->covers(), c->head() - c->covers()));
    const std::string name(channel), id = "covers-" + std::to_string(c->head());
    hub::publish_view p;
    p.channel = name;
    p.type = hub::keyed_snapshot_type;
    p.snapshot.covers = c->head();
    p.snapshot.parts = static_cast<std::uint16_t>(parts.size());
    if (parts.size() > 1) p.snapshot.id = id;
    for (const std::string& part : parts) {
        p.payload = part;
        snapshots_[name] = submit(p, true, now);
        ++p.snapshot.part;
    }
}

void log_partition::on_part(command_id id, const std::string& channel) {
    const auto found = snapshots_.find(channel);
    if (found != snapshots_.end() && found->second == id) snapshots_.erase(found);
}

void log_partition::reply_to(const hub::connection_ref& to, hub::message_ptr what, hub::instant now) {
    sessions_.post(to.shard, hub::reply{to, std::move(what), 0}, now);
}

// --- presence ---

void log_partition::on(hub::join&& j, hub::instant now) {
    join_op op;
    op.channel = j.channel;
    op.session = j.session;
    op.token = hub::node_wide(j.from, j.token);
    op.info = j.as.info;
    op.user = j.as.user;
    op.user_info = j.as.user_info;
    op.source = j.source;
    drive([&](replica_output& out) { replica_.join(op, now, out); }, now);
}

void log_partition::on(hub::part&& p, hub::instant now) {
    leaving_.push_back({now.monotonic_ms + config_.bounds.presence_leave_ms, std::move(p)});
}

// --- words between nodes ---

void log_partition::say(process_id to, const note& n, hub::instant now) {
    const std::string bytes = encode(n);
    const order* const what = std::get_if<order>(&n);
    const note_op op{to, what != nullptr && what->ends_tokens, bytes};
    drive([&](replica_output& out) { replica_.note(0, op, now, out); }, now);
}

bool log_partition::reaches(process_id p) const {
    return replica_.serves() && p != replica_.process() && replica_.state()->processes().find(p) != nullptr;
}

}  // namespace pulsewire::cluster
