#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace pulsewire::shell {

// The bytes as base64 with padding (RFC 4648 section 4).
std::string base64_of(std::span<const std::uint8_t> bytes);

}  // namespace pulsewire::shell
