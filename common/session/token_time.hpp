#pragma once

// How long a token counts, by a clock that nobody sets.

#include "common/access/principal.hpp"
#include "common/exchange/instant.hpp"

#include <algorithm>
#include <cstdint>

namespace pulsewire::hub {

// A connection is closed so long after its token has expired; until then the client can show a new one.
inline constexpr std::int64_t token_grace_ms = 10'000;
// Longer times are cut to it: a duration on the wire is a whole number below 2^53.
inline constexpr std::int64_t token_counts_ms_max = std::int64_t{366} * 24 * 60 * 60 * 1'000;

// At least 1, because 0 would say that the token never expires.
inline std::uint64_t counts_for_ms(const access::principal& who, instant now) {
    return static_cast<std::uint64_t>(
        std::clamp<std::int64_t>(who.expires_ms - now.wall_ms, 1, token_counts_ms_max)
    );
}

}  // namespace pulsewire::hub
