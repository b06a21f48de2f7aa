#pragma once

// Writes for a forward: server/forward/nats/writing.hpp.

#include "server/forward/target.hpp"

namespace pulsewire::shell::forward {

result<target_kind, std::string> make_nats_target(const forward_settings& of, boost::asio::io_context& loop);

}  // namespace pulsewire::shell::forward
