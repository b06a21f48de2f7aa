#include "server/base/base64.hpp"

#include <openssl/evp.h>

#include <cstddef>

namespace pulsewire::shell {

std::string base64_of(std::span<const std::uint8_t> bytes) {
    std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');  // OpenSSL ends it with a zero
    const int length = EVP_EncodeBlock(
        reinterpret_cast<unsigned char*>(text.data()), bytes.data(), static_cast<int>(bytes.size())
    );
    text.resize(static_cast<std::size_t>(length));
    return text;
}

}  // namespace pulsewire::shell
