#include <stdexcept>

#include "bench/load/scenarios.hpp"
namespace pulsewire::bench {
report run_storm(const options&) {
    throw std::runtime_error("not yet");
}
report run_channels(const options&) {
    throw std::runtime_error("not yet");
}
}  // namespace pulsewire::bench
