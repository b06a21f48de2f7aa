#include "common/sim/server.hpp"

#include "common/channel/channel_log.hpp"
#include "common/exchange/message_text.hpp"

#include <algorithm>
#include <span>

namespace pulsewire::sim {
namespace {

// A connection on each shard that hears what is put in order there, at once.
constexpr std::uint64_t recorder = 1;
// Where the posts of the application come from: no shard.
constexpr hub::shard_index application = 0xffff;

publication seen_publication(const hub::message& m, std::int64_t at_ms) {
    return {
        std::string(m.payload()),
        std::string(m.except()),
        std::string(m.conflate().empty() ? m.type() : m.conflate()),
        m.line.size(),
        at_ms,
        m.is_snapshot ? std::string(m.type()) : std::string()};
}

std::string place_of(const hub::message& m) {
    return std::string(m.payload()) + std::to_string(m.offset);
}

void add(hub::counters& sum, const hub::counters& c) {
    sum.publications += c.publications;
    sum.duplicates += c.duplicates;
    sum.recoveries += c.recoveries;
    sum.failed_recoveries += c.failed_recoveries;
}

}  // namespace

server::server(
    timeline& time, dice& random, witness& seen, const issuer& tokens, const server_options& options,
    outside tell
)
    : time_(time),
      random_(random),
      seen_(seen),
      issuer_(tokens),
      options_(options),
      tell_{
          std::move(tell.takes), std::move(tell.says), std::move(tell.closed),
          [this](hub::connection_ref who) {
              wires_.erase(who.value);
              at(who.shard).closed(who.value, now());
              carry_out(who.shard);
          },
          [this](hub::connection_ref who) {
              time_.after(0, [this, who, life = life_] {
                  if (life == life_) read_on(who);
              });
          }},
      disk_(
          time, random, options.disk_latency_max_ms,
          [this](hub::shard_index shard, const disk::outcome& o) { stored(shard, o); }
      ) {}

hub::instant server::now() const {
    return {time_.now(), wall_clock_begin_ms + time_.now() + clock_off_ms_};
}

void server::start() {
    ++life_;
    seen_.server_starts();
    seen_.tell("server", "starts");
    hub::config c = options_.hub;
    c.seed = random_.any();
    hub::interests application_wants;
    application_wants.requests = true;
    if (options_.permits_later) application_wants.authorizes = operations::all();
    c.observers = {application_wants};
    c.shard_count = shards_ = static_cast<hub::shard_index>(random_.between(1, options_.shards_max));
    c.store_generation = disk_.opened().generation();
    for (hub::shard_index s = 0; s < shards_; ++s) {
        c.shard = s;
        hubs_.push_back(std::make_unique<hub::hub>(c));
        turns_.push_back({std::make_unique<shell>(time_, seen_, options_.delivery, tell_)});
        at(s).open(recorder, hub::face::api, {}, "recorder", now());
        time_.after(random_.below(1'000), [this, s, life = life_] {
            if (life == life_) tick(s);
        });
    }
    restore();
    for (const std::string& channel : options_.channels) {
        command subscribe;
        subscribe.op = command_op::subscribe;
        subscribe.channel = channel;
        at(owner_of(channel)).execute(recorder, subscribe, now());
        carry_out(owner_of(channel));
    }
}

void server::restore() {
    for (hub::restored_channel& c : disk_.image().channels()) {
        witness::kept k{c.name, c.epoch, c.head, {}};
        for (const hub::message_ptr& m : c.publications)
            k.publications.push_back(seen_publication(*m, tries_of(*m).first_ms));
        seen_.restored(std::move(k));
        at(owner_of(c.name)).restore(std::move(c), now());
    }
    for (const hub::restored_key& k : disk_.image().keys()) at(owner_of(k.channel)).restore(k, now());
}

void server::kill(end_of_life how) {
    if (how == end_of_life::process) {
        seen_.tell("server", "is killed");
        disk_.killed();
    } else {
        seen_.tell("server", "loses its power");
        disk_.lost_power();
    }
    end();
}

void server::end() {
    ++life_;
    for (const auto& h : hubs_) add(earlier_, h->count());
    hubs_.clear();
    turns_.clear();
    wires_.clear();
    known_.clear();
    audiences_.clear();
    unsynced_.clear();
    last_arrival_.clear();
}

void server::drain(std::uint32_t spread_ms) {
    seen_.tell("server", "drains");
    for (hub::shard_index s = 0; s < hubs_.size(); ++s) {
        at(s).drain(close_code::service_restart, spread_ms, now());
        carry_out(s);
        end_turn(s);
        turns_[s].connections->drop_all(close_code::service_restart);
    }
    disk_.finish();
    end();
}

void server::hand_over(std::uint32_t spread_ms) {
    seen_.tell("server", "hands over");
    for (hub::shard_index s = 0; s < hubs_.size(); ++s) {
        at(s).hand_over(close_code::service_restart, spread_ms, now());
        carry_out(s);
    }
}

hub::connection_ref server::open(hub::face f, std::uint64_t source) {
    const auto shard = static_cast<hub::shard_index>(random_.below(shards_));
    const hub::connection_ref opened{shard, ++last_connection_};
    turns_[shard].connections->open(opened, f);
    at(shard).open(opened.value, f, {}, {}, now(), source);
    carry_out(shard);
    return opened;
}

void server::look_for_unsynced(std::string_view lines) {
    constexpr std::string_view name = "\"key\":\"";
    for (std::size_t at = 0; (at = lines.find(name, at)) != lines.npos;) {
        at += name.size();
        const std::string_view key = lines.substr(at, lines.find('"', at) - at);
        for (const unsynced& u : unsynced_)
            if (u.key == key) seen_.reached(situation::repeated_before_synced);
    }
}

void server::receive(hub::connection_ref to, std::string_view lines) {
    if (!unsynced_.empty()) look_for_unsynced(lines);
    outlet* o = turns_[to.shard].connections->find(to.value);
    if (o == nullptr || o->ends) return;
    const bool waits = !o->unread.empty();
    o->unread.emplace_back(lines);
    if (!waits) read_on(to);
}

// As much as there is room for the answers: nobody may ask for more than it reads.
void server::read_on(hub::connection_ref who) {
    shell& connections = *turns_[who.shard].connections;
    while (true) {
        outlet* o = connections.find(who.value);
        if (o == nullptr || o->ends || o->unread.empty() || o->rests_until_ms > time_.now()) return;
        std::string& lines = o->unread.front();
        const std::size_t done =
            o->queue.has_room() ? at(who.shard).receive(who.value, lines, now(), o->queue.room()) : 0;
        if (done == 0 && !lines.empty()) return seen_.reached(situation::not_read);
        wires_[who.value].heard(std::string_view(lines).substr(0, done));
        if (done == lines.size()) {
            o->unread.pop_front();
        } else {
            lines.erase(0, done);
        }
        carry_out(who.shard);
    }
}

void server::rest(hub::connection_ref who, std::int64_t until_ms) {
    outlet* o = turns_[who.shard].connections->find(who.value);
    if (o == nullptr || o->ends) return;
    seen_.reached(situation::flood_rested);
    o->rests_until_ms = until_ms;
    time_.at(until_ms, [this, who, life = life_] {
        if (life == life_) read_on(who);
    });
}

void server::writable(hub::connection_ref who) {
    turns_[who.shard].connections->writable(who.value);
    end_turn_soon(who.shard);
}

void server::receive_oversized(hub::connection_ref to, std::string_view head) {
    wires_[to.value].heard(head);
    at(to.shard).receive_oversized(to.value, head, now());
    carry_out(to.shard);
}

void server::closed(hub::connection_ref who) {
    turns_[who.shard].connections->lost(who.value);
    wires_.erase(who.value);
    at(who.shard).closed(who.value, now());
    carry_out(who.shard);
}

void server::revoke(const hub::revoke& what) {
    for (hub::shard_index s = 0; s < hubs_.size(); ++s) post(application, s, hub::to_session(what));
}

// On a thread of its own, so it takes its time, and one can overtake another.
void server::verify(hub::shard_index shard, hub::output::verification&& v) {
    const std::int64_t takes_ms = random_.percent(70) ? 0 : random_.below(2'000);
    time_.after(takes_ms, [this, shard, v = std::move(v), life = life_] {
        if (life != life_) return;
        access::verdict proves = issuer_.verify(v.token, now());
        // As the hub should: another user's token changes nothing.
        if (proves.who != nullptr) {
            if (known_.contains(v.connection)) seen_.reached(situation::token_refreshed);
            known_[v.connection] = proves.who;
        }
        at(shard).verified(v.connection, v.number, std::move(proves), now());
        carry_out(shard);
        read_on({shard, v.connection});
    });
}

// By a model of its own of who may have what, and of whose word a publication is.
void server::check_permission(std::uint64_t connection, const hub::message& m) {
    const auto found = known_.find(connection);
    const bool known = found != known_.end();
    if (m.kind == hub::message_kind::error && m.code == error_code::forbidden)
        seen_.reached(situation::permission_refused);
    if (m.kind == hub::message_kind::answer && m.id == 0 && m.reason() == "forbidden")
        return seen_.reached(situation::permission_lost);
    const bool offers =
        m.line.starts_with("{\"op\":\"subscribe\"") || m.line.starts_with("{\"op\":\"snapshot_wanted\"");
    const bool holds_data = offers || m.kind == hub::message_kind::publication ||
                            m.kind == hub::message_kind::direct || m.kind == hub::message_kind::presence ||
                            m.kind == hub::message_kind::subscribed || m.kind == hub::message_kind::history ||
                            m.kind == hub::message_kind::question;
    if (!holds_data || m.channel().empty()) return;
    const bool needs_grant = m.channel().starts_with(granted_namespace);
    const bool granted = known && !found->second->allowed.empty();
    if (!known || (needs_grant && !granted))
        seen_.blame("connection " + std::to_string(connection) + " may not have " + m.line);
    // Who publishes puts its session's name first, and a session belongs to a user.
    if (m.kind == hub::message_kind::publication && m.payload().find(" says ") != std::string_view::npos) {
        const std::string session(m.payload().substr(1, m.payload().find(' ') - 1));
        const auto [owner, is_new] = seen_.user_of_session(session, std::string(m.user()));
        if (!is_new && owner != m.user()) seen_.blame("another user than before published " + m.line);
    }
}

void server::publish(const std::string& channel, const std::string& payload, const std::string& conflate) {
    hub::publish p;
    p.channel = channel;
    p.type = "say";
    p.payload = payload;
    p.conflate = conflate;
    post(application, owner_of(channel), std::move(p));
}

void server::carry_out(hub::shard_index shard) {
    // A message may make a connection too slow, and then the hub sends more: the outermost call does it.
    if (std::exchange(turns_[shard].carries_out, true)) return;
    hub::output& out = at(shard).out();
    while (!out.empty()) {
        hub::output todo = std::exchange(out, {});
        for (const hub::output::send& s : todo.sends) deliver(shard, todo, s);
        for (const hub::output::close& c : todo.closes) {
            wires_.erase(c.connection);
            turns_[shard].connections->end(c.connection, c.code);
        }
        for (const hub::output::rest& r : todo.rests) rest({shard, r.connection}, r.until_ms);
        for (hub::output::verification& v : todo.verifications) verify(shard, std::move(v));
        for (hub::output::post& p : todo.posts) post(shard, p.to, std::move(p.what));
        for (hub::output::notice& n : todo.notices) {
            if (auto* asked = std::get_if<hub::client_request>(&n.what)) answer(shard, std::move(*asked));
            if (const auto* asked = std::get_if<hub::authorize>(&n.what)) permit(shard, *asked);
        }
        for (const hub::store_op& op : todo.stores)
            if (const auto* p = std::get_if<hub::keep_publication>(&op.what); p != nullptr) {
                tries_.try_emplace(place_of(*p->what), tries{time_.now()}).first->second.last_ms =
                    time_.now();
                unsynced_.push_back({shard, op.number, p->key});
                if (seen_.keeps_state(p->what->channel())) look_at_room(*p->what);
            }
        if (!todo.stores.empty()) disk_.take(shard, std::move(todo.stores));
    }
    turns_[shard].carries_out = false;
    end_turn_soon(shard);
}

void server::deliver(hub::shard_index shard, const hub::output& out, const hub::output::send& s) {
    if (s.audience != 0) check_audience(shard, out, s);
    std::vector<std::uint64_t> to;
    for (const std::uint64_t connection : out.to(s)) {
        if (connection == recorder) {
            record(*s.what);
            continue;
        }
        to.push_back(connection);
        // A connection that was found too slow in this turn gets no more, whatever the hub has sent by then.
        const outlet* o = turns_[shard].connections->find(connection);
        if (o == nullptr || o->ends) continue;
        if (const std::string wrong = wires_[connection].told(*s.what, s.replayed); !wrong.empty())
            seen_.blame(wrong + ": connection " + std::to_string(connection) + " gets " + s.what->line);
        if (options_.hub.verifies_tokens) check_permission(connection, *s.what);
    }
    const auto how = s.replayed ? delivery::counts::as_replay : delivery::counts::as_live;
    turns_[shard].connections->deliver(s.what, how, s.audience, to);
}

// All that happens at the same moment is one turn.
void server::end_turn_soon(hub::shard_index shard) {
    if (!turns_[shard].connections->has_work() || std::exchange(turns_[shard].ends_soon, true)) return;
    time_.after(0, [this, shard, life = life_] {
        if (life == life_) end_turn(shard);
    });
}

void server::end_turn(hub::shard_index shard) {
    turns_[shard].ends_soon = false;
    turns_[shard].connections->end_turn();
    end_turn_soon(shard);
}

// A shell takes the word for it and does not look at who is in it again.
void server::check_audience(hub::shard_index shard, const hub::output& out, const hub::output::send& s) {
    const std::span<const std::uint64_t> now = out.to(s);
    const auto [before, is_new] =
        audiences_.try_emplace({shard, s.audience}, std::vector<std::uint64_t>(now.begin(), now.end()));
    if (!is_new && !std::equal(now.begin(), now.end(), before->second.begin(), before->second.end()))
        seen_.blame("an audience that has changed keeps its number: " + s.what->line);
}

// The answer takes its way from thread to thread, too.
void server::stored(hub::shard_index shard, const disk::outcome& o) {
    std::int64_t& last = last_arrival_[{application, shard}];
    last = std::max(last, time_.now() + random_.below(options_.post_delay_max_ms + 1));
    time_.at(last, [this, shard, o, life = life_] {
        if (life != life_) return;
        std::erase_if(unsynced_, [&](const unsynced& u) { return u.shard == shard && u.number <= o.number; });
        if (o.failed == error_code::none) {
            at(shard).stored(o.number, now());
        } else {
            at(shard).store_failed(o.term, o.failed, "the disk", now());
        }
        carry_out(shard);
    });
}

void server::post(hub::shard_index from, hub::shard_index to, hub::shard_message&& m) {
    std::int64_t& last = last_arrival_[{from, to}];
    last = std::max(last, time_.now() + random_.below(options_.post_delay_max_ms + 1));
    // Shared, because std::function wants to be copied; it is not.
    auto held = std::make_shared<hub::shard_message>(std::move(m));
    time_.at(last, [this, to, held, life = life_] {
        if (life != life_) return;
        at(to).receive(std::move(*held), now());
        carry_out(to);
    });
}

// The application says the payload back.
void server::answer(hub::shard_index from, hub::client_request&& asked) {
    seen_.requested(asked.payload);
    hub::reply answer{asked.from, hub::make_response(asked.id, asked.payload, asked.binary), asked.id};
    time_.after(random_.below(options_.answer_delay_max_ms + 1), [this, from, answer, life = life_] {
        if (life == life_) post(application, from, answer);
    });
}

// In any order, so commands that were sent later are permitted earlier.
void server::permit(hub::shard_index from, const hub::authorize& asked) {
    const hub::authorized word{asked.who, asked.number, error_code::none, {}};
    // A client would take a command that is not answered for command_timeout_ms for a sign of a dead
    // connection.
    const std::uint32_t delay_max_ms = std::min(options_.answer_delay_max_ms, 2'000U);
    time_.after(random_.below(delay_max_ms + 1), [this, from, word, life = life_] {
        if (life == life_) post(application, from, hub::to_session(word));
    });
}

server::tries server::tries_of(const hub::message& m) const {
    const auto found = tries_.find(place_of(m));
    return found == tries_.end() ? tries{time_.now(), time_.now()} : found->second;
}

void server::record(const hub::message& m) {
    if (m.kind == hub::message_kind::subscribed) seen_.begins(std::string(m.channel()), m.epoch());
    if (m.kind == hub::message_kind::publication)
        seen_.ordered(m.channel(), m.offset, seen_publication(m, tries_of(m).last_ms));
}

// What waits for the disk is counted when it is there.
void server::look_at_room(const hub::message& m) {
    seen_.admitted(m.channel(), m.payload().size(), m.is_snapshot ? m.type() : std::string_view());
    unsynced_.back().state_bytes = m.line.size() + hub::channel_log::publication_overhead_bytes;
    std::uint64_t bytes = 0;
    for (const unsynced& u : unsynced_) bytes += u.state_bytes;
    most_unsynced_bytes_ = std::max(most_unsynced_bytes_, bytes);
}

void server::tick(hub::shard_index shard) {
    turns_[shard].connections->each_unread([&](std::uint64_t id) { at(shard).heard(id, now()); });
    at(shard).tick(now());
    carry_out(shard);
    check_bounds(shard);
    turns_[shard].connections->sweep();
    end_turn_soon(shard);
    time_.after(1'000, [this, shard, life = life_] {
        if (life == life_) tick(shard);
    });
}

void server::check_bounds(hub::shard_index shard) {
    const hub::hub& h = at(shard);
    const limits& bounds = options_.hub.bounds;
    if (h.channel_count() > bounds.channels_max) seen_.blame("more channels than channels_max");
    if (h.key_count() > bounds.idempotency_keys_max) seen_.blame("more keys than idempotency_keys_max");
    // A state gives nothing up: room is made for a publication before, for about its line, and what waits for
    // the disk is counted when it is there.
    constexpr std::uint64_t about_bytes = 150;
    const std::uint64_t histories_max =
        bounds.history_bytes_total_max + (seen_.keeps_states() ? most_unsynced_bytes_ + about_bytes : 0);
    if (bounds.history_bytes_total_max != 0 && h.history_bytes() > histories_max)
        seen_.blame("more history than history_bytes_total_max");
}

void server::grow_old(std::int64_t ms) {
    for (hub::shard_index s = 0; s < hubs_.size(); ++s) {
        at(s).closed(recorder, now());
        carry_out(s);
    }
    // A channel that is dropped in one round is forgotten in the next.
    for (int round = 1; round <= 3; ++round) {
        for (hub::shard_index s = 0; s < hubs_.size(); ++s) {
            hub::instant later = now();
            later.monotonic_ms += round * ms;
            later.wall_ms += round * ms;
            at(s).tick(later);
            carry_out(s);
        }
    }
    for (const turn& t : turns_)
        if (t.connections->holds_memory()) seen_.blame("memory of slow readers remains when all have left");
    std::size_t channels = 0;
    for (const auto& h : hubs_) channels += h->channel_count();
    // A state does not grow old.
    if (channels != seen_.states_to_keep(false))
        seen_.blame(std::to_string(channels) + " channels remain when all is old");
    disk_.finish();
    if (disk_.opened().channels().size() != seen_.states_to_keep(true))
        seen_.blame("channels remain on the disk when all is old, or are gone");
    // Keys from a time to come are.
    if (!disk_.image().keys().empty() && clock_off_ms_ == 0 && !seen_.has_clock_leapt())
        seen_.blame("keys remain on the disk when all is old");
}

hub::counters server::count() const {
    hub::counters sum = earlier_;
    for (const auto& h : hubs_) add(sum, h->count());
    return sum;
}

std::size_t server::session_count() const {
    std::size_t sum = 0;
    for (const auto& h : hubs_) sum += h->session_count() - 1;
    return sum;
}

std::size_t server::subscription_count() const {
    std::size_t sum = 0;
    for (const auto& h : hubs_) sum += h->subscription_count();
    return running() ? sum - options_.channels.size() : 0;
}

}  // namespace pulsewire::sim
