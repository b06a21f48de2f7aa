#pragma once

// The socket on which a supervisor waits for what its service tells: datagrams of lines "NAME=value".

#include <string>
#include <string_view>

namespace pulsewire::shell {

class notify_socket {
public:
    // The path of a socket, or '@' and a name without one; empty, or what is no such name: nobody waits.
    explicit notify_socket(std::string_view path);
    ~notify_socket();
    notify_socket(const notify_socket&) = delete;
    notify_socket& operator=(const notify_socket&) = delete;

    bool is_open() const { return descriptor_ >= 0; }
    // Never waits; what cannot be sent is lost, as when nobody waits.
    void send(std::string_view lines) const;

private:
    std::string name_;  // in the form of sockaddr_un
    int descriptor_ = -1;
};

}  // namespace pulsewire::shell
