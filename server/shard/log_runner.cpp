#include "server/shard/log_runner.hpp"

#include "server/log.hpp"

#include <utility>

namespace pulsewire::shell {

void log_runner::carry_out() {
    cluster::log_output& out = channels_.out();
    if (!out.broker.empty()) all_.to_broker(std::exchange(out.broker, {}));
    for (cluster::order& o : out.orders) all_.obey(std::move(o));
    out.orders.clear();
    for (std::string& sentence : out.warnings) {
        // All partitions find the same fault, one after the other.
        if (sentence == last_warning_) continue;
        log::warning(sentence);
        last_warning_ = std::move(sentence);
    }
    out.warnings.clear();
    for (const std::string& sentence : out.notes) {
        log::info(sentence);
        last_warning_.clear();
    }
    out.notes.clear();
}

}  // namespace pulsewire::shell
