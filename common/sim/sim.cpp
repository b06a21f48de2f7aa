#include "common/sim/sim.hpp"

#include <algorithm>
#include <set>

namespace pulsewire::sim {
namespace {

constexpr std::int64_t stream_timeout_ms = 35'000;

}  // namespace

sim_options drawn_options(std::uint64_t seed) {
    dice d(seed ^ 0x5eed);
    const auto one_of = [&](std::initializer_list<std::uint32_t> choices) {
        return *(choices.begin() + d.below(static_cast<std::uint32_t>(choices.size())));
    };
    sim_options o;
    o.clients = d.between(2, 6);
    o.websocket_blocked = one_of({0, 0, 30});
    o.act_every_ms = one_of({200, 400, 1'000});
    o.server.shards = d.between(1, 3);
    o.server.post_delay_max_ms = one_of({0, 5, 300});
    o.server.answer_delay_max_ms = one_of({0, 100, 12'000});
    o.server.channels = {"a", "chat:1"};
    o.server.hub.default_namespace.history_count_max = one_of({3, 30, 1'000});
    o.server.hub.bounds.recovery_max = one_of({5, 300});
    o.chaos.latency_max_ms = one_of({0, 20, 400});
    o.chaos.refused = one_of({0, 0, 40});
    o.chaos.swallowed = one_of({0, 0, 20});
    o.chaos.unnoticed = one_of({0, 50, 90});
    o.chaos.fault_every_ms = one_of({300, 1'000, 4'000});
    for (const std::uint32_t common : {10u, 5u, 10u, 5u, 1u, 1u, 10u, 2u})
        o.chaos.faults.push_back(d.percent(60) ? common : 0);
    return o;
}

sim::sim(std::uint64_t seed, sim_options options)
    : random_(seed),
      options_(std::move(options)),
      weather_(options_.chaos),
      server_(
          time_, random_, seen_, options_.server,
          {[this](hub::connection_ref from, std::string_view line) { deliver(from, line); },
           [this](hub::connection_ref which, close_code code) { end(which, code); }}
      ) {
    server_.start();
    for (std::uint32_t i = 0; i < options_.clients; ++i)
        add_client(random_.percent(options_.websocket_blocked));
}

void sim::add_client(bool websocket_blocked) {
    const std::size_t index = peers_.size();
    blocked_.push_back(websocket_blocked);
    current_.push_back(nullptr);
    peer::outside network;
    network.open = [this, index](std::uint32_t attempt, client::transport via) { open(index, attempt, via); };
    network.close = [this, index] {
        if (current_[index] != nullptr) hang_up(current_[index]);
    };
    network.send = [this, index](std::string message) {
        if (current_[index] != nullptr) send(current_[index], std::move(message));
    };
    peers_.push_back(std::make_unique<peer>(
        time_, random_, seen_, "session-" + std::to_string(index), options_.client, options_.server.channels,
        std::move(network)
    ));
}

// --- a connection ---

void sim::open(std::size_t client, std::uint32_t attempt, client::transport via) {
    const auto l = std::make_shared<link>();
    l->client = client;
    l->attempt = attempt;
    l->stream = via == client::transport::sse;
    current_[client] = l;
    const bool blocked = !l->stream && blocked_[client];
    if (random_.percent(weather_.swallowed)) return;
    const bool refused = blocked || random_.percent(weather_.refused);
    time_.after(latency(), [this, l, refused] {
        if (!l->client_end) return;
        if (refused || !server_.running()) return client_hears_the_end(l, 1006);
        accept(l);
    });
}

void sim::accept(const link_ptr& l) {
    l->at_server = server_.open(l->stream ? hub::face::protocol_stream : hub::face::protocol);
    l->server_end = true;
    at_server_[{l->at_server.shard, l->at_server.value}] = l;
    l->last_down = time_.now() + latency();
    time_.at(l->last_down, [this, l] {
        if (!l->down_broken) peers_[l->client]->transport_opened(l->attempt);
    });
}

void sim::send(const link_ptr& l, std::string message) {
    if (!l->client_end) return;
    l->last_up = std::max(l->last_up, time_.now() + latency());
    time_.at(l->last_up, [this, l, message = std::move(message)] {
        if (!l->up_broken && l->server_end) server_.receive(l->at_server, message);
    });
}

// The client closes: what it sent before still arrives, and so does what is on its way to it, which the
// machine must not take for news of its next connection.
void sim::hang_up(const link_ptr& l) {
    l->client_end = false;
    if (random_.percent(50))
        time_.after(latency(), [this, l] { peers_[l->client]->transport_closed(l->attempt, 1006); });
    l->last_up = std::max(l->last_up, time_.now() + latency());
    time_.at(l->last_up, [this, l] {
        if (!l->up_broken) server_hears_the_end(l);
    });
}

// What waits for the network leaves together.
void sim::deliver(hub::connection_ref from, std::string_view line) {
    const auto found = at_server_.find({from.shard, from.value});
    if (found == at_server_.end()) return;
    const link_ptr l = found->second;
    if (l->lose_line && line.find("\"offset\":") != line.npos && line.find("\"op\":") == line.npos) {
        l->lose_line = false;
        return;
    }
    const bool planned = !l->down.empty();
    if (planned) l->down += '\n';
    l->down += line;
    if (planned) return;
    l->last_down = std::max(l->last_down, time_.now() + latency());
    time_.at(l->last_down, [this, l] {
        std::string message = std::exchange(l->down, {});
        if (!l->down_broken) peers_[l->client]->message(l->attempt, std::move(message));
    });
}

// The server closes: what it sent before still arrives.
void sim::end(hub::connection_ref which, close_code code) {
    const auto found = at_server_.find({which.shard, which.value});
    if (found == at_server_.end()) return;
    const link_ptr l = found->second;
    at_server_.erase(found);
    l->server_end = false;
    l->last_down = std::max(l->last_down, time_.now() + latency());
    time_.at(l->last_down, [this, l, code] {
        if (!l->down_broken) client_hears_the_end(l, static_cast<std::uint16_t>(code));
    });
}

void sim::client_hears_the_end(const link_ptr& l, std::uint16_t code) {
    if (std::exchange(l->client_end, false)) peers_[l->client]->transport_closed(l->attempt, code);
}

void sim::server_hears_the_end(const link_ptr& l) {
    if (!std::exchange(l->server_end, false)) return;
    at_server_.erase({l->at_server.shard, l->at_server.value});
    server_.closed(l->at_server);
}

// What is on its way is lost. Each end hears of it, or not.
void sim::break_link(const link_ptr& l, bool up, bool down, std::uint32_t unnoticed) {
    l->up_broken |= up;
    l->down_broken |= down;
    if (down && !random_.percent(unnoticed))
        time_.after(random_.below(3'000), [this, l] { client_hears_the_end(l, 1006); });
    if (up && !random_.percent(unnoticed)) {
        time_.after(random_.below(3'000), [this, l] { server_hears_the_end(l); });
    } else if (l->stream) {
        // The hub expects no answer over SSE: that its pings arrive is watched over by TCP
        // (TCP_USER_TIMEOUT).
        time_.after(stream_timeout_ms, [this, l] { server_hears_the_end(l); });
    }
}

// --- what goes wrong ---

void sim::cut(std::size_t client, std::uint32_t unnoticed) {
    if (current_[client] != nullptr) break_link(current_[client], true, true, unnoticed);
}

void sim::inject(std::size_t client, const std::string& message) {
    if (current_[client] != nullptr && current_[client]->client_end)
        peers_[client]->message(current_[client]->attempt, message);
}

void sim::restart(bool drained, std::int64_t gone_ms) {
    if (!server_.running()) return;
    ++restarts_;
    if (drained) {
        server_.drain(3'000);
    } else {
        server_.kill();
        forget_all_links();
    }
    time_.after(gone_ms, [this] {
        if (!server_.running()) server_.start();
    });
}

void sim::forget_all_links() {
    for (const auto& [name, l] : std::exchange(at_server_, {})) {
        l->server_end = false;
        break_link(l, false, true, weather_.unnoticed);
    }
}

void sim::go_wrong() {
    if (time_.now() >= options_.chaos_ms) return;
    std::uint32_t sum = 0;
    for (const std::uint32_t weight : weather_.faults) sum += weight;
    std::uint32_t drawn = random_.below(sum);
    for (std::size_t i = 0; i < weather_.faults.size(); ++i) {
        if (drawn < weather_.faults[i]) {
            do_wrong(static_cast<enum fault>(i), random_.below(options_.clients));
            break;
        }
        drawn -= weather_.faults[i];
    }
    time_.after(1 + random_.below(2 * weather_.fault_every_ms), [this] { go_wrong(); });
}

void sim::do_wrong(enum fault what, std::size_t client) {
    const link_ptr l = current_[client];
    switch (what) {
        case fault::cut:
            return cut(client, weather_.unnoticed);
        case fault::cut_one_way:
            if (l == nullptr) return;
            return random_.percent(50) ? break_link(l, true, false, 100) : break_link(l, false, true, 100);
        case fault::stall:
            if (l == nullptr) return;
            l->last_up = std::max(l->last_up, time_.now() + random_.below(20'000));
            l->last_down = std::max(l->last_down, time_.now() + random_.below(20'000));
            return;
        case fault::freeze:
            return peers_[client]->freeze(random_.below(50'000));
        case fault::lose_line:
            if (l != nullptr) l->lose_line = true;
            return;
        case fault::garbage:
            return inject(client, "\xff<html>");
        case fault::kill:
            return restart(false, random_.below(4'000));
        case fault::drain:
            return restart(true, random_.below(4'000));
    }
}

// --- the run ---

void sim::live(std::size_t client) {
    if (time_.now() >= options_.chaos_ms) return;
    peers_[client]->act();
    time_.after(1 + random_.below(2 * options_.act_every_ms), [this, client] { live(client); });
}

void sim::clear_up() {
    weather_ = {};
    weather_.latency_max_ms = options_.chaos.latency_max_ms;
    for (const link_ptr& l : current_)
        if (l != nullptr) l->lose_line = false;
}

void sim::run(const std::function<void(sim&)>& after_step) {
    for (std::size_t i = 0; i < peers_.size(); ++i) {
        peers_[i]->start();
        for (const std::string& channel : options_.server.channels)
            if (random_.percent(60)) peers_[i]->subscribe(channel);
        live(i);
    }
    if (weather_.fault_every_ms != 0) go_wrong();
    time_.at(options_.chaos_ms, [this] { clear_up(); });
    // Whoever lost the last line of a channel notices with the next one.
    time_.at(options_.chaos_ms + options_.calm_ms / 2, [this] {
        for (const std::string& channel : options_.server.channels) peers_[0]->publish(channel, {});
    });
    const std::int64_t end = options_.chaos_ms + options_.calm_ms;
    while (fault().empty() && time_.step(end))
        if (after_step) after_step(*this);
    const auto present = [&](const std::string& channel) {
        std::set<std::string> sessions;
        for (const auto& p : peers_)
            if (p->listed_in(channel)) sessions.insert(p->session());
        return sessions;
    };
    for (const auto& p : peers_) p->check_converged(present);
    if (server_.session_count() != peers_.size())
        seen_.blame("the server holds " + std::to_string(server_.session_count()) + " connections");
}

std::uint64_t sim::trace() const {
    std::uint64_t all = time_.steps();
    for (const auto& p : peers_) all = all * 1099511628211u ^ p->trace();
    return all;
}

peer::counters sim::count() const {
    peer::counters sum;
    for (const auto& p : peers_) {
        const peer::counters& c = p->count();
        sum.delivered += c.delivered;
        sum.replayed += c.replayed;
        sum.transient += c.transient;
        sum.published += c.published;
        sum.answered += c.answered;
        sum.failed += c.failed;
        sum.fresh += c.fresh;
        sum.recovered += c.recovered;
        sum.lost += c.lost;
        sum.opened_sse += c.opened_sse;
        sum.opened_websocket += c.opened_websocket;
        sum.withdrawn += c.withdrawn;
    }
    return sum;
}

}  // namespace pulsewire::sim
