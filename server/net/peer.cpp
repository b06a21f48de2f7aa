#include "server/net/peer.hpp"

#include <sys/socket.h>

namespace pulsewire::shell {

std::optional<address> peer_of(int socket) {
    sockaddr_storage peer{};
    socklen_t size = sizeof peer;
    if (::getpeername(socket, reinterpret_cast<sockaddr*>(&peer), &size) != 0) return std::nullopt;
    return address::of(peer);
}

}  // namespace pulsewire::shell
