#pragma once

// RabbitMQ as the broker: each partition's log is a stream. What the adapter relies on, and how it was
// decided: docs/decisions/0023-rabbitmq.md.

#include "common/base/result.hpp"
#include "server/broker/broker.hpp"

#include <memory>
#include <string>

namespace pulsewire::shell::rabbitmq {

// As shell::make_broker(), for rabbitmq:// and rabbitmqs://.
result<std::unique_ptr<broker>, std::string> make_broker(
    const broker_options& options, broker::handler handler
);

}  // namespace pulsewire::shell::rabbitmq
