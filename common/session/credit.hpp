#pragma once

// The rate limit commands_per_second: each command costs credit, and passing time earns credit.

#include "common/exchange/instant.hpp"
#include "common/protocol/limits.hpp"
#include "common/session/session.hpp"

#include <algorithm>
#include <cstdint>

namespace pulsewire::hub {

inline constexpr std::uint64_t credit_per_command = 1'000;

// The credit earned in two seconds; a session cannot save more.
inline std::uint64_t credit_max(const limits& bounds) {
    return 2 * credit_per_command * bounds.commands_per_second;
}

// False when the session has not earned credit for that many commands; then it pays nothing.
inline bool take_credit(session& s, std::uint32_t commands, const limits& bounds, instant now) {
    const std::uint64_t rate = bounds.commands_per_second;
    if (rate == 0) return true;
    const std::int64_t passed_ms = std::min<std::int64_t>(now.monotonic_ms - s.credit_at_ms, 2'000);
    s.credit = std::min(s.credit + static_cast<std::uint64_t>(passed_ms) * rate, credit_max(bounds));
    s.credit_at_ms = now.monotonic_ms;
    if (s.credit < commands * credit_per_command) return false;
    s.credit -= commands * credit_per_command;
    return true;
}

}  // namespace pulsewire::hub
