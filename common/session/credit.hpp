#pragma once

// The rate limit commands_per_second: each command costs credit, a large answer costs more, and passing time
// earns it. A session without credit has its commands refused. One in debt for its answers is not read until
// the debt is paid, and so is one that goes on sending while it is refused.

#include "common/exchange/instant.hpp"
#include "common/protocol/limits.hpp"
#include "common/session/session.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace pulsewire::hub {

inline constexpr std::int64_t credit_per_command = 1'000;
// A session that is refused too often rests for this time.
inline constexpr std::int64_t rest_ms = 1'000;
// A session that needs a rest so often, with less than rests_apart_ms from one to the next, is ended.
inline constexpr std::uint32_t rests_max = 10;
inline constexpr std::int64_t rests_apart_ms = 10'000;

// The credit earned in two seconds; a session cannot save more.
inline std::int64_t credit_max(const limits& bounds) {
    return 2 * credit_per_command * std::int64_t{bounds.commands_per_second};
}

inline void earn_credit(session& s, const limits& bounds, instant now) {
    const std::int64_t passed_ms = std::clamp<std::int64_t>(now.monotonic_ms - s.credit_at_ms, 0, 3'600'000);
    s.credit = std::min(s.credit + passed_ms * std::int64_t{bounds.commands_per_second}, credit_max(bounds));
    s.credit_at_ms = now.monotonic_ms;
}

// False when the session has not earned credit for that many commands; then it pays nothing.
inline bool take_credit(session& s, std::uint32_t commands, const limits& bounds, instant now) {
    if (bounds.commands_per_second == 0) return true;
    earn_credit(s, bounds, now);
    const std::int64_t price = commands * credit_per_command;
    if (s.credit < price) return false;
    s.credit -= price;
    return true;
}

// Charges an answer by its bytes, of which `commands_paid` commands have paid for a part. The session may get
// into debt, because the size of an answer is known only when it is made.
inline void charge_answer(session& s, std::size_t bytes, std::uint32_t commands_paid, const limits& bounds) {
    if (bounds.commands_per_second == 0) return;
    const auto price = static_cast<std::int64_t>(bytes / answer_bytes_per_command);
    s.credit -= std::max<std::int64_t>(0, price - commands_paid) * credit_per_command;
}

// The time at which the debt of a session is paid; 0 when it has none.
inline std::int64_t debt_paid_ms(session& s, const limits& bounds, instant now) {
    if (s.credit >= 0 || bounds.commands_per_second == 0) return 0;
    earn_credit(s, bounds, now);
    if (s.credit >= 0) return 0;
    const std::int64_t rate = bounds.commands_per_second;
    return now.monotonic_ms + (-s.credit + rate - 1) / rate;
}

}  // namespace pulsewire::hub
