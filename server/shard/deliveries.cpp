#include "server/shard/deliveries.hpp"

#include "server/log.hpp"
#include "server/shard/conversation.hpp"

#include <algorithm>
#include <utility>

namespace pulsewire::shell {
namespace {

// Connections that get one message: from here on its line is joined once for all of them.
constexpr std::size_t many = 8;
// Bytes of collected messages that one turn writes at once; beyond, they wait in line with what else waits
// for their connections.
constexpr std::uint64_t collected_bytes_max = 4 << 20;

}  // namespace

void deliveries::deliver(const hub::output::send& s, std::span<const std::uint64_t> to) {
    const hub::message_ptr& m = s.what;
    note(s, to);
    if (to.size() == 1 && program_sessions::is_one(to.front())) return programs_.give(to.front(), m);
    if (to.size() > 1) programs_.give_to_listeners(m, to);
    if (!is_worth_joining(s)) {
        if (s.audience != 0) fan_out_.forget(m->channel());
        for (const std::uint64_t id : to) catch_up(id);
        return give(s, to);
    }
    if (const auto* excluded = fan_out_.extend(m, s.audience)) return give(s, *excluded);
    // A new batch begins. Whoever still waits for an older one gets that queued first.
    while (const auto next = fan_out_.next()) visit(*next, writing::at_turn_end);
    fan_out_.begin(m, s.audience, to);
    home_.schedule_turn_end();
}

void deliveries::note(const hub::output::send& s, std::span<const std::uint64_t> to) {
    const hub::message& m = *s.what;
    switch (m.kind) {
        case hub::message_kind::publication:
            if (!s.replayed && oldest_publication_ms_ == 0) oldest_publication_ms_ = m.time_ms;
            return;
        case hub::message_kind::error: {
            auto& errors = home_.metrics().errors;
            ++errors[static_cast<std::size_t>(m.code) % errors.size()];
            return;
        }
        case hub::message_kind::welcome:
            for (const std::uint64_t id : to)
                log::debug("connection ", home_.index(), ".", id, " is welcome");
            return;
        default:
            return;
    }
}

bool deliveries::is_worth_joining(const hub::output::send& s) const {
    if (s.replayed) return false;
    if (s.audience != 0 && s.count >= many) return true;
    // A compressed text is made once, even for a few.
    const shell_limits& bounds = home_.bounds();
    return bounds.websocket_compression && s.what->line.size() >= bounds.compression_bytes_min;
}

void deliveries::give(const hub::output::send& s, std::span<const std::uint64_t> to) {
    const auto how = s.replayed ? delivery::counts::as_replay : delivery::counts::as_live;
    for (const std::uint64_t id : to)
        connections_.guarded(id, [&](connection& c) { c.current_conversation().on_message(s.what, how); });
}

void deliveries::rest(const hub::output::rest& r) {
    connections_.guarded(r.connection, [&](connection& c) { c.rest_until(r.until_ms); });
}

void deliveries::close(const hub::output::close& end) {
    catch_up(end.connection);
    connections_.guarded(end.connection, [&](connection& c) {
        c.current_conversation().on_close(end.code, end.reason);
    });
}

// What was collected for the connection before goes before what it is sent now.
void deliveries::catch_up(std::uint64_t id) {
    if (const auto waits = fan_out_.take(id)) visit(*waits, writing::at_turn_end);
}

void deliveries::visit(const delivery::fan_out::visit& v, writing when) {
    connections_.guarded(v.connection, [&](connection& c) {
        if (auto run = v.batch->run_for(c.out())) return c.send(std::move(run), when == writing::at_once);
        // By index: a connection that is too slow makes the hub send more, and so the batch may grow
        // meanwhile.
        for (std::size_t i = 0; i < v.batch->messages().size(); ++i)
            c.current_conversation().on_message(v.batch->messages()[i], delivery::counts::as_live);
        fan_out_.exclude(v);
    });
}

// By the next publication the connections have left the processor's cache. So those that are visited soon are
// fetched while the kernel copies the current write.
void deliveries::write_collected() {
    const std::uint64_t before = home_.metrics().bytes_out;
    while (const auto next = fan_out_.next()) {
        if (const connection* later = connections_.find(fan_out_.upcoming(4))) later->prefetch();
        if (const connection* soon = connections_.find(fan_out_.upcoming(2))) soon->prefetch_conversation();
        const bool much = home_.metrics().bytes_out - before > collected_bytes_max;
        visit(*next, much ? writing::at_turn_end : writing::at_once);
    }
}

void deliveries::observe_written() {
    if (oldest_publication_ms_ == 0) return;
    const std::int64_t waited_ms = std::max<std::int64_t>(0, home_.now().wall_ms - oldest_publication_ms_);
    home_.metrics().delivery.observe(static_cast<double>(waited_ms) / 1'000);
    oldest_publication_ms_ = 0;
}

void deliveries::end_turn() {
    while (const auto next = fan_out_.next()) visit(*next, writing::at_turn_end);
    fan_out_.clear();
}

}  // namespace pulsewire::shell
