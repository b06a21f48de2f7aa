#pragma once

// Kafka as the broker: each partition's log is a partition of one topic. What the adapter relies on, and how
// it was decided: docs/decisions/0020-kafka.md.

#include "common/base/result.hpp"
#include "server/broker/broker.hpp"

#include <memory>
#include <string>

namespace pulsewire::shell::kafka {

// As shell::make_broker(), for kafka:// and kafkas://.
result<std::unique_ptr<broker>, std::string> make_broker(
    const broker_options& options, broker::handler handler
);

}  // namespace pulsewire::shell::kafka
