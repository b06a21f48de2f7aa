#include "common/cluster/log_partition.hpp"

#include "common/base/overloaded.hpp"
#include "common/channel/members_page.hpp"
#include "common/channel/recovery.hpp"
#include "common/exchange/message_text.hpp"
#include "common/protocol/json_unescape.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace pulsewire::cluster {
namespace {

// What waits for the copy, in one partition; beyond: broker_unavailable at once.
constexpr std::size_t waiting_max = 65'536;
// The copy is given so long to come back before anybody is told: most failovers take less.
constexpr std::int64_t degraded_after_ms = 1'500;

constexpr std::string_view no_broker = "the server does not reach its broker; try again";
constexpr std::string_view no_room = "the server keeps as many channels as it may";

hub::shown shown_of(const shown_member& m) {
    return {m.info, m.user, m.user_info};
}

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
      watched_(0, name_hash(settings.secret)) {}

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
    asks_.forget_overdue(now.monotonic_ms);
    if (replica_.serves()) {
        away_since_ms_ = INT64_MIN;
        why_.clear();
        told_why_.clear();
    } else if (away_since_ms_ == INT64_MIN) {
        away_since_ms_ = now.monotonic_ms;
    } else if (now.monotonic_ms - away_since_ms_ >= degraded_after_ms) {
        told_why_ = why_.empty() ? "The broker has not answered yet." : why_;
    }
}

partition_facts log_partition::facts() const {
    partition_facts f;
    f.partition = index_;
    f.serves = replica_.serves();
    f.degraded_because = told_why_;
    f.waiting = publishes_.size() + waiting_.size();
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
            [&](const serving&) { on_serving(now); },
            [&](degraded& d) { on_degraded(std::move(d.reason), now); },
            // Where the subscribers stand is known here, and is judged when another copy serves.
            [&](const copy_lost&) {
                former_names_.clear();
                heard_kept_ = false;
            },
            [&](const restated& r) { on_restated(r, now); },
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
                        return on_failure(n.id, error_code::overloaded, no_room, now);
                    case refusal::too_late:
                    case refusal::no_options:
                        return on_failure(n.id, error_code::broker_unavailable, no_broker, now);
                }
            },
            [&](const unavailable& u) { on_failure(u.id, error_code::broker_unavailable, no_broker, now); },
            [&](standing_back& s) {
                out_.warnings.push_back(s.reason);
                why_ = std::move(s.reason);
            },
        },
        e
    );
}

void log_partition::on_degraded(std::string reason, hub::instant now) {
    away_since_ms_ = now.monotonic_ms;
    why_ = std::move(reason);
    // The copy goes on without a word until it serves again, so what was told is remembered.
    if (replica_.state() == nullptr) return;
    for (auto& [name, c] : watched_) c.members = members_of(find(name));
}

void log_partition::on_serving(hub::instant now) {
    for (auto& [name, c] : watched_) catch_up(c, now);
    hear_kept();
    look_at_waiting(now);
}

// Tells the subscribers what happened while the copy did not serve.
void log_partition::catch_up(watched_channel& c, hub::instant now) {
    const channel_view log = view_of(c.name);
    const channel_epoch epoch = replica_.state()->epoch_of(c.name);
    const bool same = c.epoch == epoch && c.offset <= log.head();
    if (same && log.reaches_back_to(c.offset)) {
        for (const hub::message_ptr& m : log.after(c.offset, log.head() - c.offset)) broadcast(c, m, now);
        c.offset = log.head();
    } else {
        c.epoch = epoch;
        c.offset = log.head();
        tell_position(c, same ? "expired" : "epoch_changed", now);
    }
    if (!c.members) return;
    const auto before = *std::exchange(c.members, std::nullopt);
    const auto present = members_of(find(c.name));
    for (const auto& [session, as] : before)
        if (!present.contains(session)) broadcast(c, hub::make_leave(c.name, session), now);
    for (const auto& [session, as] : present) {
        const auto known = before.find(session);
        if (known == before.end() || !(known->second == as))
            broadcast(c, hub::make_join(c.name, session, shown_of(as)), now);
    }
}

// Nothing was missed, and positions have another name.
void log_partition::on_restated(const restated& r, hub::instant now) {
    former_names_.add(r.before, r.renewals);
    for (auto& [name, c] : watched_) {
        if (!(c.epoch.log == r.before)) continue;
        c.epoch.log = r.now;
        tell_position(c, {}, now);
    }
}

void log_partition::on_effect(const effect& e, hub::instant now) {
    const auto tell = [&](const std::string& channel, auto make) {
        const auto c = watched_.find(channel);
        if (c != watched_.end()) broadcast(c->second, make(), now);
    };
    std::visit(
        overloaded{
            [&](const published& p) {
                ++counters_.publications;
                on_publication(*p.what, &p.epoch, now);
            },
            [&](const passed& p) { on_publication(*p.what, nullptr, now); },
            [&](const member_came& m) {
                tell(m.channel, [&] { return hub::make_join(m.channel, m.session, shown_of(m.as)); });
            },
            [&](const member_gone& m) {
                tell(m.channel, [&] { return hub::make_leave(m.channel, m.session); });
            },
            [&](const channel_forgotten& c) { on_forgotten(c.channel, now); },
            [&](const noted& n) { on_note(n, now); },
            [&](const process_ended& p) {
                for (const own_ask& a : asks_.take_own_to(p.process))
                    reply_to(
                        a.from,
                        hub::make_error(
                            a.id, error_code::disconnected,
                            "the client that was asked has gone; the request may or may not have run"
                        ),
                        now, a.id
                    );
            },
            [&](const digest_differs& d) {
                out_.warnings.push_back(
                    "The copies of two nodes differ in partition " + std::to_string(index_) + " (process " +
                    std::to_string(d.process) + "): please report this, it is a fault of Pulsewire."
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

void log_partition::on_publication(const publication& p, const channel_epoch* in, hub::instant now) {
    if (watched_.empty()) return;
    const std::string_view channel = p.channel();
    const auto found = watched_.find(channel);
    if (found == watched_.end()) return;
    watched_channel& c = found->second;
    if (in != nullptr) {
        c.epoch = *in;
        c.offset = p.offset;
    }
    broadcast(c, message_of(p, config_.options_of(channel).slow_consumers), now);
}

// Its positions are void, and nobody missed anything.
void log_partition::on_forgotten(const std::string& channel, hub::instant now) {
    const auto found = watched_.find(channel);
    if (found == watched_.end()) return;
    found->second.epoch = replica_.state()->epoch_of(channel);
    found->second.offset = 0;
    tell_position(found->second, {}, now);
}

void log_partition::broadcast(const watched_channel& c, const hub::message_ptr& m, hub::instant now) {
    for (const hub::shard_index shard : c.shards) sessions_.post(shard, hub::deliver{m}, now);
}

void log_partition::tell_position(const watched_channel& c, std::string_view lost, hub::instant now) {
    broadcast(c, hub::make_position(c.name, text_of(c.epoch), c.offset, lost), now);
}

channel_view log_partition::view_of(std::string_view channel) const {
    const partition_state& copy = *replica_.state();
    const auto& options = copy.channels().options();
    const std::int64_t age_ms = options ? options->of(channel).history_age_ms : 0;
    return {
        find(channel), text_of(copy.epoch_of(channel)), config_.options_of(channel).slow_consumers,
        copy.processes().log_ms() - age_ms};
}

// --- publishing ---

void log_partition::publish(const hub::publish_view& p, hub::instant now) {
    // Without any copy nothing can be queued for the log, and nothing overtakes what waits.
    if (replica_.state() == nullptr || waiting_publishes_ > 0) return wait(p.as<std::string>(), now);
    submit(p, now);
}

void log_partition::submit(const hub::publish_view& p, hub::instant now) {
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
    command_id id = 0;
    if (p.id != 0) {
        id = ++last_command_;
        publishes_.emplace(id, waiting_publish{p.from, p.id, std::string(p.channel)});
    }
    drive([&](replica_output& out) { replica_.publish(id, op, now, out); }, now);
}

void log_partition::on_outcome(command_id id, const accepted& what, hub::instant now) {
    if (what.repeated) ++counters_.duplicates;
    const auto found = publishes_.find(id);
    if (found == publishes_.end()) return;
    const waiting_publish p = std::move(publishes_.extract(found).mapped());
    const std::string epoch = what.offset == 0 ? std::string() : text_of(what.epoch);
    reply_to(p.from, hub::make_published(p.id, p.channel, epoch, what.offset), now);
}

void log_partition::on_failure(command_id id, error_code code, std::string_view text, hub::instant now) {
    if (code == error_code::broker_unavailable) ++counters_.unstored;
    const auto found = publishes_.find(id);
    if (found == publishes_.end()) return;
    const waiting_publish p = std::move(publishes_.extract(found).mapped());
    reply_to(p.from, hub::make_error(p.id, code, text), now);
}

void log_partition::reply_to(
    const hub::connection_ref& to, hub::message_ptr what, hub::instant now, std::uint64_t ends
) {
    sessions_.post(to.shard, hub::reply{to, std::move(what), ends}, now);
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
    drive([&](replica_output& out) { replica_.join(op, now, out); }, now);
}

void log_partition::on(hub::part&& p, hub::instant now) {
    leaving_.push_back({now.monotonic_ms + config_.bounds.presence_leave_ms, std::move(p)});
}

// --- subscribing and reading ---

void log_partition::on(hub::attach&& a, hub::instant now) {
    if (!replica_.serves() || !attach_now(a, now.monotonic_ms, now)) wait(std::move(a), now);
}

// False: the copy may be behind what the client knows.
bool log_partition::attach_now(hub::attach& a, std::int64_t since_ms, hub::instant now) {
    const channel_view log = view_of(a.channel);
    const channel_epoch epoch = replica_.state()->epoch_of(a.channel);
    if (a.seen && former_names_.knows(find(a.channel), epoch.generation, a.seen->epoch, a.seen->offset))
        a.seen->epoch = log.epoch();
    if (a.seen && (a.seen->epoch != log.epoch() || a.seen->offset > log.head()) &&
        !replica_.is_newer_than(since_ms))
        return false;
    hub::starting_point start =
        hub::start_of(log, a, config_.bounds.recovery_max, now.wall_ms - config_.bounds.recover_ms);
    if (a.seen) ++(start.lost.empty() ? counters_.recoveries : counters_.failed_recoveries);
    hub::subscribed_fields f;
    f.id = a.id;
    f.channel = a.channel;
    f.epoch = log.epoch();
    f.offset = start.offset;
    f.replay = start.replay.size();
    f.asked_to_recover = a.seen.has_value();
    f.reason = start.lost;

    hub::attached answer;
    answer.to = a.from;
    answer.token = a.token;
    answer.weight = a.weight;
    answer.channel = a.channel;
    answer.subscribed = hub::make_subscribed(f);
    if (a.wants_presence) {
        // As for the channels of one node: a first page, and a join for every other member.
        const auto members = members_of(find(a.channel));
        hub::members_page page(presence_page_bytes_max);
        auto m = members.begin();
        while (m != members.end() && page.add(m->first, shown_of(m->second))) ++m;
        answer.members.push_back(hub::make_members(0, a.channel, page.json()));
        for (; m != members.end(); ++m)
            answer.members.push_back(hub::make_join(a.channel, m->first, shown_of(m->second)));
    }
    answer.replay = std::move(start.replay);
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
    sessions_.post(a.from.shard, std::move(answer), now);
    return true;
}

void log_partition::on(hub::detach&& d, hub::instant) {
    // Nobody waits any more for the answers to earlier subscribes.
    std::erase_if(waiting_, [&](const waiting& w) {
        const auto* const a = std::get_if<hub::attach>(&w.what);
        return a != nullptr && a->from.shard == d.from && a->channel == d.channel;
    });
    const auto found = watched_.find(d.channel);
    if (found == watched_.end()) return;
    std::erase(found->second.shards, d.from);
    if (found->second.shards.empty()) watched_.erase(found);
}

void log_partition::on(hub::query&& q, hub::instant now) {
    if (replica_.serves()) return answer_now(q, now);
    wait(std::move(q), now);
}

void log_partition::answer_now(const hub::query& q, hub::instant now) {
    hub::message_ptr answer;
    if (q.of == hub::query::kind::presence) {
        const auto members = members_of(find(q.channel));
        hub::members_page page(presence_page_bytes_max);
        for (auto m = members.upper_bound(q.after);
             m != members.end() && page.add(m->first, shown_of(m->second)); ++m)
            continue;
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

// --- what waits for the copy ---

void log_partition::wait(std::variant<hub::publish, hub::attach, hub::query>&& what, hub::instant now) {
    waiting w{now.monotonic_ms, std::move(what)};
    if (waiting_.size() >= waiting_max) return refuse(std::move(w), now);
    if (std::holds_alternative<hub::publish>(w.what)) ++waiting_publishes_;
    waiting_.push_back(std::move(w));
}

void log_partition::look_at_waiting(hub::instant now) {
    // What is told to sessions may bring others, which go to the end.
    for (std::size_t left = waiting_.size(); left > 0 && !waiting_.empty(); --left) {
        waiting w = std::move(waiting_.front());
        waiting_.pop_front();
        if (now.monotonic_ms - w.since_ms >= wait_ms_) {
            refuse(std::move(w), now);
            continue;
        }
        const bool serves = replica_.serves();
        const bool done = std::visit(
            overloaded{
                [&](hub::publish& p) {
                    if (!serves) return false;
                    --waiting_publishes_;
                    submit(p.as<std::string_view>(), now);
                    return true;
                },
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

void log_partition::refuse(waiting&& w, hub::instant now) {
    const auto error = [](std::uint64_t id) {
        return hub::make_error(id, error_code::broker_unavailable, no_broker);
    };
    std::visit(
        overloaded{
            [&](hub::publish& p) {
                if (waiting_publishes_ > 0) --waiting_publishes_;
                ++counters_.unstored;
                if (p.id != 0) reply_to(p.from, error(p.id), now);
            },
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
        w.what
    );
}

// --- requests between clients, and words between nodes ---

void log_partition::say(process_id to, const note& n, hub::instant now) {
    const std::string bytes = encode(n);
    const order* const what = std::get_if<order>(&n);
    const note_op op{to, what != nullptr && what->ends_tokens, bytes};
    drive([&](replica_output& out) { replica_.note(0, op, now, out); }, now);
}

bool log_partition::reaches(process_id p) const {
    return replica_.serves() && p != replica_.process() && replica_.state()->processes().find(p) != nullptr;
}

void log_partition::on(hub::ask&& a, hub::instant now) {
    const auto fail = [&](error_code code, std::string_view text) {
        reply_to(a.from, hub::make_error(a.id, code, text), now, a.id);
    };
    if (!replica_.serves()) return fail(error_code::broker_unavailable, no_broker);
    const shared_channel* const c = find(a.channel);
    const member_id* asked = nullptr;
    if (c != nullptr)
        for (auto m = c->members().lower_bound({a.to, 0, 0});
             m != c->members().end() && m->first.session == a.to; ++m)
            // The newest subscription of a process; of two processes, this one.
            if (asked == nullptr || asked->process != replica_.process() ||
                m->first.process == replica_.process())
                asked = &m->first;
    if (asked == nullptr)
        return fail(error_code::not_present, "nobody of that session shows itself in the channel");
    if (asked->process == replica_.process()) {
        const std::uint64_t token = asked->token;
        return sessions_.post(
            hub::shard_of(token), hub::to_session(hub::asked{std::move(a), hub::token_of(token)}), now
        );
    }
    const own_ask mine{a.from, a.id, asked->process, now.monotonic_ms + a.timeout_ms};
    const std::uint64_t number = asks_.add(mine);
    if (number == 0) return fail(error_code::overloaded, "too many requests are under way to other nodes");
    const process_id to = asked->process;
    say(to, ask_note{number, asked->token, std::move(a)}, now);
}

void log_partition::on(hub::unask&& u, hub::instant now) {
    process_id asked = 0;
    if (const std::uint64_t number = asks_.take_own(u.from, u.id, asked); number != 0)
        return say(asked, unask_note{number}, now);
    withdraw({u.from, u.id, std::move(u.channel)}, now);
}

// Which shard has the request is not remembered, so all with subscribers get the withdrawal.
void log_partition::withdraw(const hub::withdrawn& what, hub::instant now) {
    const auto c = watched_.find(what.channel);
    if (c == watched_.end()) return;
    for (const hub::shard_index shard : c->second.shards) sessions_.post(shard, hub::to_session(what), now);
}

void log_partition::answer(hub::reply&& r, hub::instant now) {
    const std::uint64_t number = r.to.value & ((std::uint64_t{1} << 48) - 1);
    const auto asked = asks_.take_foreign(number);
    if (!asked) return;
    answer_note a;
    a.number = asked->number;
    if (r.what->kind == hub::message_kind::error) {
        a.code = r.what->code;
        append_unescaped(a.text, r.what->text());
    } else {
        a.payload = r.what->payload();
    }
    say(asked->asker, a, now);
}

// A copy that is new to this node may know of tokens that were revoked before it came. Doing so twice is
// harmless.
void log_partition::hear_kept() {
    if (std::exchange(heard_kept_, true)) return;
    for (const shared_notes::kept& k : replica_.state()->notes().all()) {
        auto read = decode_note(k.bytes);
        if (!read) continue;
        if (order* const what = std::get_if<order>(&*read)) out_.orders.push_back(std::move(*what));
    }
}

void log_partition::on_note(const noted& n, hub::instant now) {
    const bool is_own = n.from == replica_.process();
    if (n.to == 0 ? is_own : n.to != replica_.process()) return;
    auto read = decode_note(n.bytes);
    if (!read) return;  // of a newer node
    std::visit(
        overloaded{
            [&](ask_note& a) { carry_out(std::move(a), n.from, now); },
            [&](const unask_note& u) {
                std::string channel;
                const std::uint64_t number = asks_.take_foreign(n.from, u.number, channel);
                if (number != 0) withdraw({foreign(number), number, std::move(channel)}, now);
            },
            [&](const answer_note& a) {
                const auto mine = asks_.take_own(a.number, n.from);
                if (!mine) return;
                reply_to(
                    mine->from,
                    a.code == error_code::none ? hub::make_response(mine->id, a.payload)
                                               : hub::make_error(mine->id, a.code, a.text),
                    now, mine->id
                );
            },
            [&](post_note& p) {
                out_.posts.push_back({n.from, std::move(p)});
            },
            [&](const posted_note& p) { out_.posted.push_back(p); },
            [&](order& o) { out_.orders.push_back(std::move(o)); },
        },
        *read
    );
}

void log_partition::carry_out(ask_note&& a, process_id from, hub::instant now) {
    const std::uint64_t number =
        asks_.add(foreign_ask{from, a.number, a.what.channel, now.monotonic_ms + a.what.timeout_ms});
    if (number == 0)
        return say(
            from,
            answer_note{a.number, error_code::overloaded, "the client's server has too many requests", {}},
            now
        );
    a.what.from = foreign(number);
    a.what.id = number;
    const hub::shard_index to = hub::shard_of(a.token);
    if (to >= config_.shard_count) return;
    sessions_.post(to, hub::to_session(hub::asked{std::move(a.what), hub::token_of(a.token)}), now);
}

hub::connection_ref log_partition::foreign(std::uint64_t number) const {
    return {config_.shard, hub::foreign_connection | std::uint64_t{index_} << 48 | number};
}

}  // namespace pulsewire::cluster
