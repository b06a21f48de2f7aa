#pragma once

// Runs the hub of one shard: tells it what happened, and carries out what it answers. Only this class reads
// the hub's output.

#include "common/hub/hub.hpp"
#include "server/shard/deliveries.hpp"
#include "server/shard/forward_tap.hpp"
#include "server/shard/log_runner.hpp"
#include "server/shard/observer_gate.hpp"
#include "server/shard/shard_port.hpp"
#include "server/shard/turn_posts.hpp"

#include <optional>
#include <utility>
#include <vector>

namespace pulsewire::shell {

class hub_runner {
public:
    // All references outlive it.
    hub_runner(
        hub::config c, deliveries& to_connections, turn_posts& to_others, observer_gate gate, shard_port& home
    )
        : hub_(std::move(c)),
          to_connections_(to_connections),
          to_others_(to_others),
          gate_(gate),
          home_(home) {}

    // Calls `call(hub, now)` and carries out what the hub answers.
    template <class Call>
    void tell(Call&& call) {
        call(hub_, home_.now());
        carry_out();
    }
    // A value that another shard or an observer posted.
    void receive(hub::shard_message&& m) {
        tell([&](hub::hub& h, hub::instant now) { h.receive(std::move(m), now); });
    }
    // Before anything else: what the data folder kept (common/hub/hub.hpp).
    template <class Kept>
    void restore(Kept&& kept) {
        hub_.restore(std::forward<Kept>(kept), home_.now());
    }
    const hub::hub& state() const { return hub_; }
    hub::instant now() const { return home_.now(); }

    forward_tap& tap() { return tap_; }

    // Before anything else: some channels are those of a log that nodes share.
    void share(const cluster::replica_options& options, node_port& all) {
        log_.emplace(hub_.settings(), options, hub_.port_to_sessions(), all);
        hub_.use_log(log_->channels());
    }
    // Calls `call(channels, now)` and carries out what comes of it. Precondition: share().
    template <class Call>
    void tell_log(Call&& call) {
        call(log_->channels(), home_.now());
        carry_out();
    }
    // Precondition: share().
    log_runner& shared_runner() { return *log_; }
    // Null without a shared log.
    const cluster::log_channels* shared() const { return log_ ? &log_->channels() : nullptr; }

private:
    void carry_out();
    void carry_out_once();
    void notify(hub::output::notice&& n);
    void verify(const hub::output::verification& v);

    hub::hub hub_;
    hub::output work_;
    std::optional<log_runner> log_;
    forward_tap tap_;
    deliveries& to_connections_;
    turn_posts& to_others_;
    observer_gate gate_;
    shard_port& home_;
    bool carrying_out_ = false;
};

}  // namespace pulsewire::shell
