#pragma once

// Base64url without padding (RFC 7515 section 2), read strictly: every value has one spelling, so a token
// cannot be changed into another text that means the same.

#include <optional>
#include <string>
#include <string_view>

namespace pulsewire::identity {

// The bytes; nothing when `text` has another character than the 64, a length that no bytes have, or bits left
// over that are not zero.
std::optional<std::string> from_base64url(std::string_view text);

std::string to_base64url(std::string_view bytes);

}  // namespace pulsewire::identity
