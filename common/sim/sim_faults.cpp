// The faults of a run.

#include "common/session/public_name.hpp"
#include "common/sim/sim.hpp"

#include <algorithm>

namespace pulsewire::sim {

namespace {

// Some channels keep a state, and have room for a few publications beside it. Where all histories together
// have little room, it must be enough for a state that is replaced by another one in parts.
void draw_state(hub::config& hub, dice& d) {
    const bool is_narrow = hub.bounds.history_bytes_total_max != 0;
    constexpr std::uint32_t bytes_max[] = {3'000, 5'000, 10'000};
    const std::uint32_t which = d.below(is_narrow ? 2 : 3);
    if (which != 0) hub.namespaces["chat"].state_bytes_max = bytes_max[is_narrow ? 0 : d.below(3)];
    if (which != 1) hub.namespaces["disk"].state_bytes_max = bytes_max[is_narrow ? 0 : d.below(3)];
}

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
    o.speak_every_ms = one_of({300, 2'000});
    o.server.shards_max = d.between(1, 3);
    o.server.post_delay_max_ms = one_of({0, 5, 300});
    o.server.answer_delay_max_ms = one_of({0, 100, 12'000});
    o.server.channels = {"a", "chat:1", "news:1", "disk:1"};
    o.server.disk_latency_max_ms = one_of({0, 10, 400});
    hub::config& hub = o.server.hub;
    hub.default_namespace.history_count_max = one_of({3, 30, 1'000});
    hub.default_namespace.history_bytes_max = one_of({2'000, 1 << 20, 1 << 20});
    hub.default_namespace.history_age_ms = one_of({5'000, 600'000, 600'000});
    hub.default_namespace.client_requests = true;
    hub.namespaces["news"] = hub.default_namespace;
    hub.namespaces["news"].client_publish = false;
    hub.namespaces["news"].client_requests = false;
    hub.namespaces["news"].presence = false;
    hub.namespaces["disk"] = hub.default_namespace;
    hub.namespaces["disk"].keeps = durability::disk;
    hub.namespaces["chat"] = hub.default_namespace;
    for (const char* of : {"chat", "news", "disk"})
        hub.namespaces[of].slow_consumers = static_cast<slow_consumer>(d.below(3));
    o.server.delivery.queue_bytes_max = one_of({700, 2'500, 1 << 20});
    o.server.delivery.replay_bytes_max = one_of({20'000, 64 << 20});
    o.server.delivery.batch_bytes_max = one_of({400, 64 * 1024});
    o.server.delivery.batch_messages_max = one_of({3, 64});
    hub.store_id = d.any();
    hub.bounds.recovery_max = one_of({5, 300});
    hub.bounds.history_bytes_total_max = one_of({0, 0, 0, 20'000});
    hub.bounds.idempotency_ms = one_of({20'000, 300'000});
    hub.bounds.idempotency_keys_max = one_of({100'000, 900});
    hub.bounds.presence_members_max = one_of({1'000, 40});
    hub.bounds.channels_max = one_of({1'000'000, 60});
    hub.bounds.commands_per_second = one_of({1'000, 100});
    o.chaos.latency_max_ms = one_of({0, 20, 400});
    o.chaos.refused = one_of({0, 0, 40});
    o.chaos.swallowed = one_of({0, 0, 20});
    o.chaos.unnoticed = one_of({0, 50, 90});
    o.chaos.fault_every_ms = one_of({300, 1'000, 4'000});
    for (const std::uint32_t common :
         {10u, 5u, 10u, 5u, 1u, 1u, 2u, 10u, 5u, 2u, 3u, 3u, 1u, 2u, 1u, 1u, 1u, 8u, 4u})
        o.chaos.faults.push_back(d.percent(60) ? common : 0);
    // The courses of the other runs stay as they are.
    o.server.permits_later = seed % 8 == 5;
    o.tokens = seed % 4 == 1;
    if (o.tokens) {
        o.client.tokens = hub.verifies_tokens = true;
        for (const std::uint32_t common : {4u, 4u}) o.chaos.faults.push_back(d.percent(60) ? common : 0);
        const access_rules of_users{operations(), operations::all(), operations()};
        hub.default_namespace.allow = of_users;
        for (auto& [name, options] : hub.namespaces)
            options.allow = name == granted_namespace ? access_rules::none() : of_users;
    }
    if (seed % 8 == 0 || seed % 8 == 1 || seed % 8 == 3) draw_state(hub, d);
    return o;
}

void sim::cut(std::size_t client, std::uint32_t unnoticed) {
    if (current_[client] != nullptr) break_link(current_[client], true, true, unnoticed);
}

void sim::freeze(std::size_t client, std::int64_t ms) {
    for (const link_ptr& l : {current_[client], retiring_[client]})
        if (l != nullptr) l->hurt = true;
    peers_[client]->freeze(ms);
}

void sim::inject(std::size_t client, const std::string& message) {
    if (current_[client] == nullptr || !current_[client]->client_end) return;
    current_[client]->hurt = true;
    peers_[client]->message(current_[client]->attempt, message);
}

void sim::restart(restart_after what, std::int64_t gone_ms) {
    if (!server_.running()) return;
    last_fault_ms_ = std::max(last_fault_ms_, time_.now() + gone_ms);
    if (what == restart_after::drain) {
        server_.drain(3'000);
    } else {
        const bool killed = what == restart_after::kill;
        server_.kill(killed ? end_of_life::process : end_of_life::power);
        forget_all_links();
        seen_.reached(killed ? situation::killed : situation::power_lost);
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
            l->hurt = true;
            l->last_up = std::max(l->last_up, time_.now() + random_.below(20'000));
            l->last_down = std::max(l->last_down, time_.now() + random_.below(20'000));
            last_fault_ms_ = std::max({last_fault_ms_, l->last_up, l->last_down});
            return;
        case fault::freeze:
            return freeze(client, random_.below(50'000));
        case fault::kill:
            return restart(restart_after::kill, random_.below(4'000));
        case fault::drain:
            return restart(restart_after::drain, random_.below(4'000));
        case fault::hand_over:
            if (!server_.running()) return;
            for (const auto& [name, sound] : at_server_) sound->hurt = true;
            return server_.hand_over(3'000);
        case fault::lose_line:
            if (l != nullptr) l->lose_line = true;
            return;
        case fault::repeat_line:
            if (l != nullptr) l->repeat_line = true;
            return;
        case fault::garbage:
            return inject(client, "\xff<html>");
        case fault::leave:
            return exchange_page(client);
        case fault::stranger:
            return stranger_comes();
        case fault::power:
            return restart(restart_after::power_loss, random_.below(4'000));
        case fault::disk_full:
            seen_.disk_fails();
            seen_.tell("disk", "is full");
            server_.storage().fill(true);
            return time_.after(random_.below(3'000), [this] { server_.storage().fill(false); });
        case fault::disk_error:
            seen_.disk_fails();
            seen_.tell("disk", "will fail");
            return server_.storage().fail_next_sync();
        case fault::disk_slow:
            seen_.tell("disk", "will be slow");
            return server_.storage().slow_next_sync(random_.below(15'000));
        case fault::clock: {
            const std::int64_t hours = random_.percent(50) ? 1 : 24 * 365;
            const bool ahead = random_.percent(50);
            if (ahead) seen_.clock_leaps();
            seen_.tell("clock", ahead ? "is set ahead" : "is set back");
            seen_.reached(situation::clock_set);
            return server_.set_clock((ahead ? hours : -hours) * 3'600'000);
        }
        case fault::slow_reader: {
            if (l == nullptr || l->slow || !l->server_end) return;
            l->hurt = l->slow = true;
            l->buffer_max = random_.between(1, 3'000);
            l->bytes_per_read = random_.percent(30) ? 0 : random_.between(1, 500);
            const std::int64_t until = time_.now() + random_.below(20'000);
            last_fault_ms_ = std::max(last_fault_ms_, until);
            return read_slowly(l, random_.between(1, 1'000), until);
        }
        case fault::mob:
            return mob_.attack();
        case fault::revoke: {
            if (!server_.running()) return;
            const std::string user = issuer::user_of(client);
            seen_.tell("issuer", "revokes the tokens of " + user);
            seen_.reached(situation::token_revoked);
            return server_.revoke(issuer_.revoke(user));
        }
        case fault::no_keys:
            return issuer_.is_down_until(time_.now() + random_.below(10'000));
        case fault::count_:
            return;
    }
}

void sim::exchange_page(std::size_t client) {
    const bool properly = random_.percent(50);
    for (const link_ptr& l : {current_[client], retiring_[client]})
        if (l != nullptr) l->hurt = true;
    peers_[client]->leave(properly);
    for (const link_ptr& l : {current_[client], retiring_[client]}) {
        if (properly || l == nullptr || !l->client_end) continue;
        l->client_end = false;
        break_link(l, true, true, weather_.unnoticed);
    }
    former_peers_.push_back(std::move(peers_[client]));
    current_[client] = retiring_[client] = nullptr;
    peers_[client] = new_peer(client);
    peers_[client]->start();
    seen_.reached(situation::page_left);
}

// Somebody connects who keeps to no rule. Nobody else must be any the worse for it.
void sim::stranger_comes() {
    if (!server_.running()) return;
    const hub::connection_ref as =
        server_.open(random_.percent(50) ? hub::face::protocol : hub::face::protocol_stream);
    stranger_talks(as, ++strangers_, static_cast<int>(random_.below(20)));
    seen_.reached(situation::stranger_came);
}

void sim::stranger_talks(hub::connection_ref as, int number, int lines_left) {
    if (!server_.running()) return;
    if (lines_left == 0) return server_.closed(as);
    // Every other stranger claims the name under which it sees another client; that must give it nothing.
    const std::string secret = number % 2 == 0 ? "stranger-" + std::to_string(number)
                                               : hub::public_name("session-" + std::to_string(number % 9));
    const std::string name = hub::public_name(secret);
    seen_.stranger(name);
    const std::string& channel =
        options_.server.channels[random_.below(static_cast<std::uint32_t>(options_.server.channels.size()))];
    const std::string id = R"(","id":)" + std::to_string(random_.below(5));
    const std::string to = R"(,"channel":")" + channel + "\"";
    const std::string says = R"("payload":")" + name + " says " + std::to_string(++sayings_) + "\"";
    switch (random_.below(13)) {
        case 0:
        case 1:
        case 2:
            server_.receive(as, R"({"op":"connect","version":1,"session":")" + secret + "\"}");
            break;
        case 3:
            server_.receive(as, R"({"op":"subscribe)" + id + to + R"(,"presence":true,"payload":{}})");
            break;
        case 4:
            server_.receive(as, R"({"op":"subscribe)" + id + to + R"(,"epoch":"zz","offset":7,"latest":3})");
            break;
        case 5:
            server_.receive(as, R"({"op":"unsubscribe)" + id + to + "}\n\n\n{}\n[]\n\"\"\n{");
            break;
        case 6:
            server_.receive(as, R"({"op":"publish)" + id + to + R"(,"key":"k","type":"say",)" + says + "}");
            break;
        case 7:
            server_.receive(
                as, R"({"op":"publish)" + id + to + R"(,"transient":true,"type":"say",)" + says + "}"
            );
            break;
        case 8:
            server_.receive_oversized(as, R"({"op":"publish)" + id + to);
            break;
        case 9:
            server_.receive(as, R"({"op":"history)" + id + to + R"(,"limit":4,"offset":99999})");
            break;
        case 10: {
            const std::string asked = hub::public_name("session-" + std::to_string(random_.below(9)));
            server_.receive(
                as, R"({"op":"request)" + id + to + R"(,"to":")" + asked + R"(","type":"ask","payload":")" +
                        name + " asks " + asked + " " + std::to_string(++sayings_) + "\"}"
            );
            break;
        }
        case 11: {
            const std::string request = std::to_string(random_.below(9));
            server_.receive(as, R"({"op":"respond","request":)" + request + R"(,"payload":"nonsense"})");
            break;
        }
        case 12:
            server_.receive(as, std::string(40, '[') + "\xff\xfe" + name);
            break;
    }
    time_.after(random_.below(1'500), [this, as, number, lines_left, life = seen_.life()] {
        if (life == seen_.life()) stranger_talks(as, number, lines_left - 1);
    });
}

}  // namespace pulsewire::sim
