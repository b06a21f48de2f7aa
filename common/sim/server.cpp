#include "common/sim/server.hpp"

#include "common/hub/message_text.hpp"

namespace pulsewire::sim {
namespace {

// A connection on each shard that hears what is put in order there, at once.
constexpr std::uint64_t recorder = 1;

}  // namespace

server::server(timeline& time, dice& random, witness& seen, server_options options, outside tell)
    : time_(time), random_(random), seen_(seen), options_(std::move(options)), tell_(std::move(tell)) {}

void server::start() {
    ++life_;
    last_connection_ = recorder;
    seen_.server_starts();
    hub::config c = options_.hub;
    c.seed = random_.any();
    c.tell_requests = true;
    c.shard_count = static_cast<hub::shard_index>(options_.shards);
    for (hub::shard_index s = 0; s < options_.shards; ++s) {
        c.shard = s;
        hubs_.push_back(std::make_unique<hub::hub>(c));
        at(s).open(recorder, hub::face::api, {}, "recorder", now());
        time_.after(random_.below(1'000), [this, s, life = life_] {
            if (life == life_) tick(s);
        });
    }
    for (const std::string& channel : options_.channels) {
        command subscribe;
        subscribe.op = command_op::subscribe;
        subscribe.channel = channel;
        const hub::shard_index owner = hub::hub::owner_of(channel, c.shard_count);
        at(owner).execute(recorder, subscribe, now());
        carry_out(owner);
    }
}

void server::kill() {
    ++life_;
    hubs_.clear();
    last_arrival_.clear();
}

void server::drain(std::uint32_t spread_ms) {
    for (hub::shard_index s = 0; s < hubs_.size(); ++s) {
        at(s).drain(close_code::service_restart, spread_ms, now());
        carry_out(s);
    }
    kill();
}

hub::connection_ref server::open(hub::face f) {
    const auto shard = static_cast<hub::shard_index>(random_.below(options_.shards));
    const hub::connection_ref opened{shard, ++last_connection_};
    at(shard).open(opened.value, f, {}, {}, now());
    carry_out(shard);
    return opened;
}

void server::receive(hub::connection_ref to, std::string_view lines) {
    at(to.shard).receive(to.value, lines, now());
    carry_out(to.shard);
}

void server::receive_oversized(hub::connection_ref to, std::string_view head) {
    at(to.shard).receive_oversized(to.value, head, now());
    carry_out(to.shard);
}

void server::closed(hub::connection_ref who) {
    at(who.shard).closed(who.value, now());
    carry_out(who.shard);
}

void server::carry_out(hub::shard_index shard) {
    hub::output& out = at(shard).out();
    while (!out.empty()) {
        hub::output todo = std::exchange(out, {});
        for (const hub::output::send& s : todo.sends) {
            if (s.connection == recorder) {
                record(*s.what);
            } else {
                tell_.line(
                    {shard, s.connection}, std::string_view(s.what->line).substr(0, s.what->line.size() - 1)
                );
            }
        }
        for (const hub::output::close& c : todo.closes) tell_.closed({shard, c.connection}, c.code);
        for (hub::output::post& p : todo.posts) post(shard, p.to, std::move(p.what));
    }
}

void server::post(hub::shard_index from, hub::shard_index to, hub::shard_message&& m) {
    if (to == hub::application) {
        if (auto* asked = std::get_if<hub::client_request>(&m)) answer(from, std::move(*asked));
        return;
    }
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
    hub::reply answer{asked.from, hub::make_response(asked.id, asked.payload), asked.id};
    time_.after(random_.below(options_.answer_delay_max_ms + 1), [this, from, answer, life = life_] {
        if (life == life_) post(hub::application, from, hub::shard_message(answer));
    });
}

void server::record(const hub::message& m) {
    const std::string channel(m.channel);
    if (m.kind == hub::message_kind::subscribed) epochs_[channel] = m.epoch;
    if (m.kind == hub::message_kind::publication)
        seen_.ordered(channel, epochs_[channel], m.offset, {std::string(m.payload), std::string(m.except)});
}

void server::tick(hub::shard_index shard) {
    at(shard).tick(now());
    carry_out(shard);
    time_.after(1'000, [this, shard, life = life_] {
        if (life == life_) tick(shard);
    });
}

hub::counters server::count() const {
    hub::counters sum;
    for (const auto& h : hubs_) {
        sum.publications += h->count().publications;
        sum.duplicates += h->count().duplicates;
        sum.recoveries += h->count().recoveries;
        sum.failed_recoveries += h->count().failed_recoveries;
    }
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
