// The course of a run: what everybody does while all goes wrong, and what must become of it.

#include "common/sim/sim.hpp"

#include <algorithm>

namespace pulsewire::sim {
namespace {

// How often a run looks whether everybody is where they must be.
constexpr std::int64_t look_every_ms = 500;

// Runs take some thousands.
constexpr std::uint64_t steps_max = 200'000;

// How long everything must have been at rest before presence is exact.
constexpr std::int64_t presence_exact_after_ms = 5'000;

// The longest way back: silence is noticed, an attempt gets no answer, another is refused.
std::int64_t heals_within_ms(const sim_options& o) {
    const limits& bounds = o.server.hub.bounds;
    return bounds.ping_ms + bounds.pong_ms + o.client.open_timeout_ms + 2 * o.client.backoff.max_ms +
           (o.tokens ? 2 * o.client.backoff.max_ms : 0) + 5'000;
}

}  // namespace

void sim::live(std::size_t client) {
    if (time_.now() >= options_.chaos_ms) return;
    peers_[client]->act();
    time_.after(1 + random_.below(2 * options_.act_every_ms), [this, client] { live(client); });
}

void sim::speak() {
    if (time_.now() >= options_.chaos_ms) return;
    const std::uint32_t drawn = random_.below(static_cast<std::uint32_t>(options_.server.channels.size()));
    if (server_.running()) say_in(options_.server.channels[drawn]);
    time_.after(1 + random_.below(2 * options_.speak_every_ms), [this] { speak(); });
}

void sim::advance(std::int64_t until, const each_step& after_step) {
    while (fault().empty() && time_.step(until)) {
        if (time_.steps() > steps_max) seen_.blame("it does not come to an end");
        if (after_step) after_step(*this);
    }
}

void sim::run(const each_step& after_step) {
    server_.start();
    for (std::size_t i = 0; i < peers_.size(); ++i) {
        peers_[i]->start();
        live(i);
    }
    if (options_.speak_every_ms != 0) speak();
    if (weather_.fault_every_ms != 0) go_wrong();
    advance(options_.chaos_ms, after_step);
    clear_up();
    heal(after_step);
    if (fault().empty()) compare(after_step);
    if (fault().empty()) restart_once_more(after_step);
    if (fault().empty()) say_goodbye(after_step);
}

void sim::clear_up() {
    weather_ = {};
    seen_.begins_to_heal();
    mob_.leave();
    issuer_.calms_down();
    weather_.latency_max_ms = options_.chaos.latency_max_ms;
    for (const link_ptr& l : current_)
        if (l != nullptr) l->lose_line = l->repeat_line = false;
    for (const auto& [name, l] : at_server_) l->lose_line = l->repeat_line = false;
    for (const auto& links : {current_, retiring_})
        for (const link_ptr& l : links)
            if (l != nullptr && std::exchange(l->slow, false)) read(l, SIZE_MAX);
    last_fault_ms_ = std::max(last_fault_ms_, options_.chaos_ms);
    server_.storage().repair();
    // The operator reads the log.
    if (server_.storage().failed()) restart(restart_after::kill, 500);
    last_fault_ms_ = std::max(last_fault_ms_, server_.storage().slow_until());
    for (const auto& p : peers_) last_fault_ms_ = std::max(last_fault_ms_, p->thaws());
    for (const std::string& channel : options_.server.channels)
        shown_before_[channel] = seen_.shown_in(channel);
    seen_.tell("weather", "nothing goes wrong any more");
}

names sim::present(const std::string& channel) const {
    names sessions;
    for (const auto& p : peers_)
        if (p->listed_in(channel)) sessions.insert(p->session());
    return sessions;
}

// Whether everybody is where they must be, and the server knows of nobody else.
bool sim::is_quiet() const {
    const auto sound = [](const link_ptr& l) {
        return l != nullptr && l->client_end && l->server_end && !l->up_broken && !l->down_broken;
    };
    if (!std::all_of(current_.begin(), current_.end(), sound)) return false;
    std::size_t subscriptions = 0;
    for (const auto& p : peers_) {
        if (!p->converged()) return false;
        subscriptions += p->subscription_count();
    }
    return server_.running() && server_.session_count() == peers_.size() &&
           server_.subscription_count() == subscriptions;
}

bool sim::has_spoken_everywhere() {
    constexpr std::int64_t again_after_ms = 5'000;
    std::vector<std::string> silent;
    for (const std::string& channel : options_.server.channels)
        if (seen_.shown_in(channel) == shown_before_[channel]) silent.push_back(channel);
    if (!silent.empty() && server_.running() && time_.now() >= last_spoken_ms_ + again_after_ms) {
        last_spoken_ms_ = time_.now();
        for (const std::string& channel : silent) {
            // Somebody must be there who can make room; an earlier token may not have permitted it.
            if (seen_.keeps_state(channel)) peers_[0]->follow_state(channel);
            say_in(channel);
        }
    }
    return silent.empty();
}

void sim::say_in(const std::string& channel) {
    const std::string key = random_.percent(50) ? "x" : "";
    server_.publish(channel, "\"server says " + std::to_string(++sayings_) + "\"", key);
}

// Within its bound everything must have come to rest, and remain so.
void sim::heal(const each_step& after_step) {
    const std::int64_t deadline = last_fault_ms_ + heals_within_ms(options_);
    std::int64_t quiet_since = 0;
    for (std::int64_t at = options_.chaos_ms; fault().empty();) {
        at += look_every_ms;
        advance(at, after_step);
        if (!has_spoken_everywhere() || at < last_fault_ms_ || !is_quiet()) {
            quiet_since = 0;
        } else if (quiet_since == 0) {
            quiet_since = at;
        }
        if (quiet_since != 0 && at >= quiet_since + presence_exact_after_ms) break;
        if (at < deadline + presence_exact_after_ms) continue;
        for (const auto& p : peers_) p->check_converged();
        seen_.blame(
            "the server holds " + std::to_string(server_.session_count()) + " connections and " +
            std::to_string(server_.subscription_count()) + " subscriptions"
        );
    }
    if (!fault().empty()) return;
    healed_after_ms_ = std::max<std::int64_t>(0, quiet_since - last_fault_ms_);
    for (const auto& p : peers_)
        p->check_presence([&](const std::string& channel) { return present(channel); });
}

// One more publication everywhere, and everybody looks at everything.
void sim::compare(const each_step& after_step) {
    seen_.calms_down();
    for (const std::string& channel : options_.server.channels) {
        for (const auto& p : peers_) p->ask(channel);
        for (const auto& p : peers_) p->question(channel);
        if (seen_.options_of(channel).client_publish) peers_[0]->publish(channel, {});
    }
    std::int64_t at = time_.now() + presence_exact_after_ms;
    const std::int64_t deadline = at + presence_exact_after_ms;
    advance(at, after_step);
    // The publications may have filled a state half, and then somebody is asked for a snapshot, late in a
    // slow network.
    while (fault().empty() && seen_.keeps_states() && !is_quiet() && at < deadline)
        advance(at += look_every_ms, after_step);
    if (!fault().empty()) return;
    for (const auto& p : peers_) {
        p->check_converged();
        p->check_presence([&](const std::string& channel) { return present(channel); });
    }
}

// The disk must still hold what it should, and everybody comes back.
void sim::restart_once_more(const each_step& after_step) {
    const std::int64_t begins = time_.now();
    restart(random_.percent(50) ? restart_after::kill : restart_after::power_loss, 0);
    for (std::int64_t at = begins; fault().empty() && !is_quiet();) {
        advance(at += look_every_ms, after_step);
        if (at < begins + heals_within_ms(options_)) continue;
        for (const auto& p : peers_) p->check_converged();
        seen_.blame("not everybody comes back");
    }
}

// All leave; nothing of them must remain.
void sim::say_goodbye(const each_step& after_step) {
    for (const auto& [name, l] : at_server_) l->hurt = true;
    for (const auto& p : peers_) p->leave(true);
    advance(time_.now() + presence_exact_after_ms, after_step);
    if (!fault().empty()) return;
    if (server_.session_count() != 0 || server_.subscription_count() != 0)
        seen_.blame("connections or subscriptions remain when all have left");
    const limits& bounds = options_.server.hub.bounds;
    server_.grow_old(bounds.channel_idle_ms + options_.server.hub.default_namespace.history_age_ms);
}

std::uint64_t sim::trace() const {
    trace_hash all;
    all.add(time_.steps());
    for (const auto& p : peers_) all.add(p->trace());
    for (const auto& p : former_peers_) all.add(p->trace());
    return all.value();
}

}  // namespace pulsewire::sim
