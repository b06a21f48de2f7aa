#pragma once

// The other end of a connected socket.

#include "server/base/address.hpp"

#include <optional>

namespace pulsewire::shell {

// The peer's address; nothing where the system does not tell, because the peer has gone already.
std::optional<address> peer_of(int socket);

}  // namespace pulsewire::shell
