#include "common/session/public_name.hpp"

#include "common/base/sha256.hpp"

#include <cstddef>
#include <cstdint>

namespace pulsewire::hub {

std::string public_name(std::string_view session) {
    constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    constexpr std::size_t length = 16;  // 96 bits
    const auto digest = sha256(std::string("pulsewire") += session);
    std::string name;
    for (std::size_t at = 0; name.size() < length; at += 3) {
        const std::uint32_t three =
            std::uint32_t{digest[at]} << 16 | std::uint32_t{digest[at + 1]} << 8 | digest[at + 2];
        for (int shift = 18; shift >= 0; shift -= 6) name += digits[three >> shift & 63];
    }
    return name;
}

}  // namespace pulsewire::hub
