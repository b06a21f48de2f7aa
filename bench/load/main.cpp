// The load generator for people: pulsewire-bench --help.

#include <cstdio>
#include <exception>

#include "bench/load/options.hpp"
#include "bench/load/report.hpp"
#include "bench/load/scenarios.hpp"

namespace {

pulsewire::bench::report run(const pulsewire::bench::options& o) {
    using namespace pulsewire::bench;
    if (o.scenario == "idle") return run_idle(o);
    if (o.scenario == "connect") return run_connect(o);
    if (o.scenario == "storm") return run_storm(o);
    if (o.scenario == "channels") return run_channels(o);
    if (o.scenario == "publish") return run_publish(o);
    return run_traffic(o);
}

}  // namespace

int main(int count, char** arguments) {
    const pulsewire::bench::options o = pulsewire::bench::read_options(count, arguments);
    try {
        const pulsewire::bench::report r = run(o);
        std::fputs((o.json ? r.json() : r.table()).c_str(), stdout);
        return r.failed() ? 1 : 0;
    } catch (const std::exception& e) {
        std::fprintf(stderr, "pulsewire-bench: %s\n", e.what());
        return 1;
    }
}
