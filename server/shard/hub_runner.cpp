#include "server/shard/hub_runner.hpp"

#include <memory>
#include <utility>

namespace pulsewire::shell {

// What the hub answers may make a conversation tell the hub something; the outermost call carries that out
// too, so that the hub's answers are carried out in their order.
void hub_runner::carry_out() {
    if (carrying_out_) return;
    carrying_out_ = true;
    const auto finally = std::unique_ptr<hub_runner, void (*)(hub_runner*)>(this, [](hub_runner* r) {
        r->work_.clear();
        r->carrying_out_ = false;
    });
    while (!hub_.out().empty()) {
        work_.swap(hub_.out());
        carry_out_once();
        work_.clear();
    }
    if (!log_) return;
    // Turns first: what is new since one is told after it.
    cluster::log_output& shared = log_->channels().out();
    if (!shared.turns.empty()) tap_.note(std::exchange(shared.turns, {}));
    if (!shared.news.empty()) tap_.note(shared.news);
    log_->carry_out();
}

void hub_runner::carry_out_once() {
    for (const hub::output::send& s : work_.sends) to_connections_.deliver(s, work_.to(s));
    for (const hub::output::close& end : work_.closes) to_connections_.close(end);
    for (const hub::output::rest& r : work_.rests) to_connections_.rest(r);
    for (const hub::output::denial& d : work_.denials) home_.note_denial(d);
    for (const hub::output::verification& v : work_.verifications) verify(v);
    for (hub::output::post& p : work_.posts) to_others_.add(std::move(p));
    for (hub::output::notice& n : work_.notices) notify(std::move(n));
    if (!work_.news.empty()) tap_.note(work_.news);
    to_others_.add(work_.stores);
    if (!to_others_.empty()) home_.schedule_turn_end();
}

void hub_runner::verify(const hub::output::verification& v) {
    if (auto known = home_.verify(v)) hub_.verified(v.connection, v.number, std::move(*known), home_.now());
}

void hub_runner::notify(hub::output::notice&& n) {
    observer_gate::verdict judged = gate_.judge(n);
    if (judged.passes) return to_others_.add(std::move(n));
    // Back into the hub, as the observer's own answer would come.
    if (judged.answer) hub_.receive(std::move(*judged.answer), home_.now());
}

}  // namespace pulsewire::shell
