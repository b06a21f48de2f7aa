#pragma once

// A connected TCP socket by its descriptor, which is closed with the object.

#include <unistd.h>

#include <utility>

namespace pulsewire::shell {

class tcp_socket {
public:
    explicit tcp_socket(int descriptor) : descriptor_(descriptor) {}
    tcp_socket(tcp_socket&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
    tcp_socket& operator=(tcp_socket&&) = delete;
    ~tcp_socket() { close(); }

    int descriptor() const { return descriptor_; }
    void close() {
        if (descriptor_ >= 0) ::close(descriptor_);
        descriptor_ = -1;
    }

private:
    int descriptor_;
};

}  // namespace pulsewire::shell
