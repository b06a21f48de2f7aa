// Connections without messages: the cost of idle ones, and the cost of opening them.

#include <stdexcept>

#include "bench/load/crowd.hpp"
#include "bench/load/process.hpp"
#include "bench/load/scenarios.hpp"

namespace pulsewire::bench {
namespace {

void add_subscribers(crowd& all, std::uint32_t standard, report& r) {
    const options& o = all.wishes();
    const std::uint32_t count = o.connections != 0 ? o.connections : standard;
    allow_descriptors(count, r);
    for (std::uint32_t i = 0; i < count; ++i) {
        std::string channel = o.channel;
        if (o.channels > 1) channel += std::to_string(i % o.channels);
        all.add(
            o.event_streams ? transport::event_stream : transport::websocket, part::subscriber,
            std::move(channel)
        );
    }
    r.add("connections", "connections", count, "");
}

std::uint64_t needed(std::optional<std::uint64_t> bytes) {
    if (!bytes)
        throw std::runtime_error(
            "the server's memory cannot be read: --server-pid names its process on this machine"
        );
    return *bytes;
}

// All lose their connections and come back with the same tokens.
void tell_return(crowd& all, report& r) {
    for (const auto& c : all.members()) c->close();
    meter m(all.wishes().server_pids);
    m.start();
    all.open_all();
    m.stop();
    const auto count = static_cast<double>(all.members().size());
    r.add("returns_seconds", "all back, with the same tokens", m.seconds(), "s", 3);
    if (!m.knows_server()) return;
    r.add("returns_cpu_seconds", "... of the server's CPU", m.server_cpu_seconds(), "s", 3);
    r.add("returns_per_cpu_s", "... handshakes per second of it", count / m.server_cpu_seconds(), "");
}

}  // namespace

report run_idle(const options& o) {
    report r;
    crowd all(o);
    add_subscribers(all, 10'000, r);
    const std::uint64_t before = needed(resident_bytes(o.server_pids));
    all.open_all();
    all.run_until(1, [] { return false; });
    const std::uint64_t after = needed(resident_bytes(o.server_pids));
    meter m(o.server_pids);
    m.start();
    all.run_until(o.seconds, [] { return false; });
    m.stop();
    const auto count = static_cast<double>(all.members().size());
    r.add("rss_before_bytes", "server's memory before", static_cast<double>(before), "bytes");
    r.add("rss_after_bytes", "... with all connections", static_cast<double>(after), "bytes");
    r.add(
        "rss_per_connection_bytes", "each",
        (static_cast<double>(after) - static_cast<double>(before)) / count, "bytes"
    );
    r.add(
        "idle_cpu_ms_per_s", "server's CPU time while nothing happens",
        m.server_cpu_seconds() / m.seconds() * 1'000, "ms/s", 2
    );
    all.tell_faults(r);
    return r;
}

report run_connect(const options& o) {
    report r;
    crowd all(o);
    add_subscribers(all, 5'000, r);
    meter m(o.server_pids);
    m.start();
    all.open_all();
    m.stop();
    const auto count = static_cast<double>(all.members().size());
    r.add("handshakes_per_s", "handshakes until subscribed", count / m.seconds(), "/s");
    if (m.knows_server())
        r.add(
            "handshakes_per_cpu_s", "... per second of the server's CPU", count / m.server_cpu_seconds(), ""
        );
    m.tell(r);
    if (!o.tokens.empty()) tell_return(all, r);
    all.tell_faults(r);
    return r;
}

}  // namespace pulsewire::bench
