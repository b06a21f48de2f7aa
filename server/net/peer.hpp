#pragma once

// The other end of a connected socket.

#include <string>

namespace pulsewire::shell {

// Whether the peer's address is a loopback one.
bool peer_is_this_machine(int socket);
// The peer's address as text, without its port; "unknown" where the system does not tell.
std::string peer_address(int socket);

}  // namespace pulsewire::shell
