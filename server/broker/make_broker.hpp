#pragma once

// The adapters that are built in, by the scheme of the broker's address.

#include "common/base/result.hpp"
#include "server/broker/broker.hpp"

#include <memory>
#include <string>

namespace pulsewire::shell {

// Connects to nothing before the first open_log. The error is a sentence for the operator, without a
// password.
result<std::unique_ptr<broker>, std::string> make_broker(
    const broker_options& options, broker::handler handler
);

}  // namespace pulsewire::shell
