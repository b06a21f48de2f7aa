#pragma once

// SHA-256 (FIPS 180-4), for the few places of common/ that need a hash nobody can turn back. It hashes short
// texts; a server has OpenSSL for anything large.

#include <array>
#include <cstdint>
#include <string_view>

namespace pulsewire {

std::array<std::uint8_t, 32> sha256(std::string_view text);

}  // namespace pulsewire
