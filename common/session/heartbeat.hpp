#pragma once

// The duties of a session as time passes: pings, and the end of one that is silent or unconnected, or whose
// token has expired (docs/protocol.md 4.1, 4.15, 4.22).

#include "common/protocol/limits.hpp"
#include "common/session/session.hpp"

#include <cstdint>

namespace pulsewire::hub {

enum class duty : std::uint8_t { none, ping, end_unconnected, end_silent, end_expired };

// `ms` is the monotonic time now.
duty duty_of(const session& s, const limits& bounds, std::int64_t ms);

}  // namespace pulsewire::hub
