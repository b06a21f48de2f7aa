#include "server/net/peer.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <optional>

namespace pulsewire::shell {
namespace {

std::optional<sockaddr_storage> peer_of(int socket) {
    sockaddr_storage peer{};
    socklen_t size = sizeof peer;
    if (::getpeername(socket, reinterpret_cast<sockaddr*>(&peer), &size) != 0) return std::nullopt;
    if (peer.ss_family != AF_INET && peer.ss_family != AF_INET6) return std::nullopt;
    return peer;
}

}  // namespace

bool peer_is_this_machine(int socket) {
    const auto peer = peer_of(socket);
    if (!peer) return false;
    if (peer->ss_family == AF_INET) {
        const auto& v4 = reinterpret_cast<const sockaddr_in&>(*peer);
        return ntohl(v4.sin_addr.s_addr) >> 24 == 127;
    }
    const in6_addr& v6 = reinterpret_cast<const sockaddr_in6&>(*peer).sin6_addr;
    // ::ffff:127.0.0.1, on a socket that takes both
    if (IN6_IS_ADDR_V4MAPPED(&v6)) return v6.s6_addr[12] == 127;
    return IN6_IS_ADDR_LOOPBACK(&v6);
}

std::string peer_address(int socket) {
    const auto peer = peer_of(socket);
    if (!peer) return "unknown";
    const void* address =
        peer->ss_family == AF_INET
            ? static_cast<const void*>(&reinterpret_cast<const sockaddr_in&>(*peer).sin_addr)
            : &reinterpret_cast<const sockaddr_in6&>(*peer).sin6_addr;
    char text[INET6_ADDRSTRLEN];
    return ::inet_ntop(peer->ss_family, address, text, sizeof text) != nullptr ? text : "unknown";
}

}  // namespace pulsewire::shell
