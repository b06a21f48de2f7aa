#pragma once

// Writes for a forward: server/forward/rabbitmq/writing.hpp.

#include "server/forward/target.hpp"

namespace pulsewire::shell::forward {

result<target_kind, std::string> make_rabbitmq_target(
    const forward_settings& of, boost::asio::io_context& loop
);

}  // namespace pulsewire::shell::forward
