#pragma once

// What the passing of time asks of a session: pings, and an end to those that are silent (docs/protocol.md
// 6).

#include "common/protocol/limits.hpp"
#include "common/session/session.hpp"

#include <cstdint>

namespace pulsewire::hub {

enum class duty : std::uint8_t { none, ping, end_unconnected, end_silent };

// `ms` is the monotonic time now.
duty duty_of(const session& s, const limits& bounds, std::int64_t ms);

}  // namespace pulsewire::hub
