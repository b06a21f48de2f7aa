#include "server/shard/drain.hpp"

#include "server/shard/conversation.hpp"

#include <chrono>

namespace pulsewire::shell {
namespace {

// What the last client that is sent away has for opening its next connection.
constexpr auto handover_grace = std::chrono::milliseconds(2'000);

}  // namespace

void drain::begin() {
    begun_ = true;
    home_.schedule_turn_end();
    if (!home_.bounds().drain_handover) return end_connections();
    hub_.tell([this](hub::hub& h, hub::instant now) {
        h.hand_over(close_code::service_restart, home_.bounds().drain_spread_ms, now);
    });
    end_idle_http();
    handover_timer_.expires_after(std::chrono::milliseconds(home_.bounds().drain_spread_ms) + handover_grace);
    handover_timer_.async_wait([this](const boost::system::error_code& error) {
        if (!error) end_connections();
    });
}

void drain::end_connections() {
    hub_.tell([this](hub::hub& h, hub::instant now) {
        h.drain(close_code::service_restart, home_.bounds().drain_spread_ms, now);
    });
    end_idle_http();
    home_.schedule_turn_end();
}

// The hub knows nothing of connections that only speak HTTP.
void drain::end_idle_http() {
    connections_.each_guarded([](connection& c) { c.current_conversation().on_drain(); });
}

void drain::report() {
    if (!begun_) return;
    if (!quiet_ && hub_.state().session_count() == 0) {
        quiet_ = true;
        all_.shard_quiet();
    }
    if (!drained_ && connections_.size() == 0) {
        drained_ = true;
        all_.shard_drained();
    }
}

}  // namespace pulsewire::shell
