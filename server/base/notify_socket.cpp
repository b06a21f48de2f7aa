#include "server/base/notify_socket.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>

namespace pulsewire::shell {

notify_socket::notify_socket(std::string_view path) : name_(path) {
    const bool is_name = path.size() > 1 && (path[0] == '/' || path[0] == '@');
    if (!is_name || path.size() >= sizeof(sockaddr_un::sun_path)) return;
    if (name_[0] == '@') name_[0] = '\0';
    descriptor_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

notify_socket::~notify_socket() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

void notify_socket::send(std::string_view lines) const {
    if (descriptor_ < 0) return;
    sockaddr_un to{};
    to.sun_family = AF_UNIX;
    std::memcpy(to.sun_path, name_.data(), name_.size());
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name_.size());
    (void)::sendto(
        descriptor_, lines.data(), lines.size(), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&to), size
    );
}

}  // namespace pulsewire::shell
