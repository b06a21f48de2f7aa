#pragma once

// A bad record with the reason, as one JSON object, for places that take one text.

#include "server/feed/record.hpp"

#include <string>
#include <string_view>

namespace pulsewire::shell::feed {

// {"reason": …, "from": …, "position": …, "key": …, "headers": {…}, "value": …}; a value that is not UTF-8 is
// "value_base64url" instead.
std::string dead_letter_of(const record& bad, std::string_view reason, std::string_view from);

}  // namespace pulsewire::shell::feed
