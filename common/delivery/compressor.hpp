#pragma once

// Compresses a WebSocket message; the shell implements it.

#include <string>
#include <string_view>

namespace pulsewire::delivery {

class compressor {
public:
    // The payload of a compressed message, without the last four bytes (RFC 7692 7.2.1).
    virtual std::string compress(std::string_view message) = 0;

protected:
    ~compressor() = default;
};

}  // namespace pulsewire::delivery
