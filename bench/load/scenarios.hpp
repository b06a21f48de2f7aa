#pragma once

#include "bench/load/options.hpp"
#include "bench/load/report.hpp"

namespace pulsewire::bench {

// Each runs one scenario to its end. Throws std::runtime_error when it cannot begin.
report run_traffic(const options& o);  // fanout, rate, rooms, sse
report run_publish(const options& o);
report run_idle(const options& o);
report run_connect(const options& o);
report run_storm(const options& o);
report run_channels(const options& o);

}  // namespace pulsewire::bench
