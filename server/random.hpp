#pragma once

// Random numbers from the operating system, for values that must not be guessed.

#include <cstdint>
#include <string>

namespace pulsewire::shell {

// Ends the process when the operating system has none, since nothing safe can be done then.
std::uint64_t random_bits();
// 128 bits as 22 characters of base64url.
std::string random_secret();

}  // namespace pulsewire::shell
