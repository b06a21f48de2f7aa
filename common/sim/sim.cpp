// The network of a run, and what its pages and its server see of it.

#include "common/sim/sim.hpp"

#include "common/sim/text.hpp"

#include <algorithm>

namespace pulsewire::sim {
namespace {

// The hub expects no answer over SSE: that its pings arrive is watched over by TCP (TCP_USER_TIMEOUT).
constexpr std::int64_t stream_timeout_ms = 35'000;

// A slow disk is forgiven so long after.
constexpr std::int64_t patience_ms = 2'000;

}  // namespace

sim::sim(std::uint64_t seed, sim_options options)
    : random_(seed),
      options_(std::move(options)),
      seen_(time_, options_.server.hub),
      weather_(options_.chaos),
      issuer_(time_, random_),
      server_(
          time_, random_, seen_, issuer_, options_.server,
          {[this](hub::connection_ref from, std::size_t bytes) { return take(from, bytes); },
           [this](hub::connection_ref from, std::string_view lines) { deliver(from, lines); },
           [this](hub::connection_ref which, close_code code) { end(which, code); }}
      ),
      mob_(time_, random_, seen_, server_, options_.server) {
    for (std::uint32_t i = 0; i < options_.clients; ++i) {
        blocked_.push_back(random_.percent(options_.websocket_blocked));
        current_.push_back(nullptr);
        retiring_.push_back(nullptr);
        peers_.push_back(new_peer(i));
    }
}

std::unique_ptr<peer> sim::new_peer(std::size_t index) {
    peer::outside network;
    network.open = [this, index](std::uint32_t attempt, client::transport via) { open(index, attempt, via); };
    network.close = [this, index](std::uint32_t attempt) {
        const link_ptr l = find(index, attempt);
        if (l == nullptr) return;
        if (l == retiring_[index] && l->server_end) seen_.reached(situation::handed_over);
        hang_up(l);
    };
    network.send = [this, index](std::uint32_t attempt, std::string message) {
        if (const link_ptr l = find(index, attempt); l != nullptr) send(l, std::move(message));
    };
    network.token = [this, index](bool& there, std::int64_t& after_ms) {
        there = weather_.fault_every_ms == 0 || !random_.percent(10);
        after_ms = random_.below(1'500);
        return issuer_.issue(issuer::user_of(index));
    };
    return std::make_unique<peer>(
        time_, random_, seen_, "session-" + std::to_string(++pages_), options_.client,
        options_.server.channels, std::move(network)
    );
}

sim::link_ptr sim::find(std::size_t client, std::uint32_t attempt) const {
    for (const link_ptr& l : {current_[client], retiring_[client]})
        if (l != nullptr && l->attempt == attempt) return l;
    return nullptr;
}

// --- a connection ---

void sim::open(std::size_t client, std::uint32_t attempt, client::transport via) {
    const auto l = std::make_shared<link>();
    l->client = client;
    l->who = peers_[client].get();
    l->attempt = attempt;
    l->stream = via == client::transport::sse;
    if (current_[client] != nullptr && current_[client]->client_end) retiring_[client] = current_[client];
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
    const std::uint64_t source = mob::source + 1 + l->client;
    l->at_server = server_.open(l->stream ? hub::face::protocol_stream : hub::face::protocol, source);
    l->server_end = true;
    at_server_[{l->at_server.shard, l->at_server.value}] = l;
    l->last_down = time_.now() + latency();
    time_.at(l->last_down, [l] {
        if (l->down_broken) return;
        l->told_open = true;
        l->who->transport_opened(l->attempt);
    });
}

void sim::send(const link_ptr& l, std::string message) {
    if (!l->client_end) return;
    if (!l->told_open) seen_.blame(l->who->session() + " sends before its connection is open");
    if (l->lost_line && message.find("\"op\":\"unsubscribe\"") != message.npos)
        seen_.reached(situation::gap_noticed);
    l->last_up = std::max(l->last_up, time_.now() + latency());
    time_.at(l->last_up, [this, l, message = std::move(message)] {
        if (!l->up_broken && l->server_end) server_.receive(l->at_server, message);
    });
}

// The client closes: what it sent before still arrives, and so does what is on its way to it, which the
// machine must not take for news of its next connection.
void sim::hang_up(const link_ptr& l) {
    const bool patient = time_.now() > server_.storage().slow_until() + patience_ms;
    if (l->server_end && !l->hurt && patient) seen_.blame(l->who->session() + " gives up a sound connection");
    l->client_end = false;
    goes_on_without(l);
    if (random_.percent(50)) time_.after(latency(), [l] { l->who->transport_closed(l->attempt, 1006); });
    l->last_up = std::max(l->last_up, time_.now() + latency());
    time_.at(l->last_up, [this, l] {
        if (!l->up_broken) server_hears_the_end(l);
    });
}

// A slow client has a buffer that fills up; one that is gone takes everything.
std::size_t sim::take(hub::connection_ref from, std::size_t bytes) {
    if (mob_.owns(from)) return mob_.takes(from, bytes);
    const auto found = at_server_.find({from.shard, from.value});
    if (found == at_server_.end() || !found->second->slow) return bytes;
    link& l = *found->second;
    const std::size_t room = l.buffer_max - std::min<std::size_t>(l.buffer_max, l.taken - l.read);
    const std::size_t taken = std::min(bytes, room);
    l.taken += taken;
    return taken;
}

void sim::deliver(hub::connection_ref from, std::string_view lines) {
    if (mob_.owns(from)) return mob_.hears(from, lines);
    const auto found = at_server_.find({from.shard, from.value});
    if (found == at_server_.end()) return;
    const link_ptr& l = found->second;
    if (!l->slow) return pass_on(l, lines);
    l->in_buffer.emplace_back(l->taken, lines);
}

// The client reads so much, or all when it is slow no more.
void sim::read(const link_ptr& l, std::size_t bytes) {
    l->read = std::min<std::uint64_t>(l->taken, l->read + std::min<std::uint64_t>(bytes, l->taken - l->read));
    while (!l->in_buffer.empty() && l->in_buffer.front().first <= l->read) {
        pass_on(l, l->in_buffer.front().second);
        l->in_buffer.pop_front();
    }
    if (l->in_buffer.empty() && l->ends) end_down(l, *std::exchange(l->ends, std::nullopt));
    if (l->server_end && server_.running()) server_.writable(l->at_server);
}

void sim::read_slowly(const link_ptr& l, std::int64_t every_ms, std::int64_t until) {
    time_.after(every_ms, [this, l, every_ms, until] {
        if (!l->slow) return;
        l->slow = time_.now() < until;
        read(l, l->slow ? l->bytes_per_read : SIZE_MAX);
        if (l->slow) read_slowly(l, every_ms, until);
    });
}

// Whether a client notices that the line of a publication is missing. A marker of what was replaced may cover
// the lost one, too (protocol 5.4); no real transport loses a line and goes on.
bool sim::would_be_noticed(std::string_view line) const {
    std::string_view channel = string_after(line, ",\"channel\":");
    if (channel.size() >= 2) channel = channel.substr(1, channel.size() - 2);
    return seen_.options_of(channel).slow_consumers != slow_consumer::latest_per_key;
}

// Lines that wait for the network leave together.
void sim::pass_on(const link_ptr& l, std::string_view lines) {
    if (l->mute) return;
    const bool planned = !l->down.empty();
    while (!lines.empty()) {
        const std::string_view line = lines.substr(0, lines.find('\n'));
        lines.remove_prefix(std::min(lines.size(), line.size() + 1));
        const bool is_publication = !line.starts_with("{\"op\":") && number_after(line, ",\"offset\":") != 0;
        if (is_publication && l->lose_line && would_be_noticed(line)) {
            l->lose_line = false;
            l->lost_line = true;
            continue;
        }
        if (!l->down.empty()) l->down += '\n';
        l->down += line;
        if (is_publication && std::exchange(l->repeat_line, false)) {
            (l->down += '\n') += line;
            seen_.reached(situation::duplicate_dropped);
        }
        if (breaks_after(l, line)) lines = {};
    }
    if (!planned && !l->down.empty()) {
        l->last_down = std::max(l->last_down, time_.now() + latency());
        time_.at(l->last_down, [l] {
            std::string message = std::exchange(l->down, {});
            if (!l->down_broken) l->who->message(l->attempt, std::move(message));
        });
    }
    if (l->mute) time_.at(l->last_down, [this, l] { break_link(l, true, true, weather_.unnoticed); });
}

// The moment between the parts of a state is short, and much can go wrong in it.
bool sim::breaks_after(const link_ptr& l, std::string_view line) {
    const std::uint64_t part = number_after(line, ",\"part\":");
    if (part == 0 || part == number_after(line, ",\"parts\":") || weather_.fault_every_ms == 0) return false;
    l->mute = random_.percent(10);
    l->hurt = l->hurt || l->mute;
    return l->mute;
}

// The server closes: what it sent before still arrives.
void sim::end(hub::connection_ref which, close_code code) {
    if (mob_.owns(which)) return mob_.ended(which, code);
    const auto found = at_server_.find({which.shard, which.value});
    if (found == at_server_.end()) return;
    const link_ptr l = found->second;
    // A token that ends is no fault of the connection, nor is a verifier that is down.
    const bool by_token =
        options_.tokens && (code == close_code::token_expired || code == close_code::try_again_later);
    if (by_token && code == close_code::token_expired) seen_.reached(situation::token_expired);
    if (!l->hurt && l->client_end && code != close_code::service_restart && !by_token)
        seen_.blame("the server ends a sound connection with " + std::to_string(static_cast<int>(code)));
    if (code == close_code::no_pong) seen_.reached(situation::silence_noticed_by_server);
    at_server_.erase(found);
    l->server_end = false;
    if (!l->in_buffer.empty()) {
        l->ends = code;
    } else {
        end_down(l, code);
    }
}

void sim::end_down(const link_ptr& l, close_code code) {
    l->last_down = std::max(l->last_down, time_.now() + latency());
    time_.at(l->last_down, [this, l, code] {
        if (!l->down_broken) client_hears_the_end(l, static_cast<std::uint16_t>(code));
    });
}

void sim::client_hears_the_end(const link_ptr& l, std::uint16_t code) {
    if (!std::exchange(l->client_end, false)) return;
    goes_on_without(l);
    l->who->transport_closed(l->attempt, code);
}

// When a hand-over comes to nothing the old one goes on.
void sim::goes_on_without(const link_ptr& l) {
    link_ptr& before = retiring_[l->client];
    if (current_[l->client] == l && before != nullptr && before->client_end)
        current_[l->client] = std::exchange(before, nullptr);
}

void sim::server_hears_the_end(const link_ptr& l) {
    if (!std::exchange(l->server_end, false)) return;
    at_server_.erase({l->at_server.shard, l->at_server.value});
    server_.closed(l->at_server);
}

// Everything on its way is lost. Each end hears of it, or not.
void sim::break_link(const link_ptr& l, bool up, bool down, std::uint32_t unnoticed) {
    l->hurt = true;
    l->up_broken |= up;
    l->down_broken |= down;
    if (down && !random_.percent(unnoticed))
        time_.after(random_.below(3'000), [this, l] { client_hears_the_end(l, 1006); });
    if (up && !random_.percent(unnoticed)) {
        time_.after(random_.below(3'000), [this, l] { server_hears_the_end(l); });
    } else {
        if (l->stream) time_.after(stream_timeout_ms, [this, l] { server_hears_the_end(l); });
        seen_.reached(situation::went_half_open);
    }
}

}  // namespace pulsewire::sim
