#pragma once

// The claims of a token whose signature is right.

#include "common/base/result.hpp"
#include "server/identity/issuer_settings.hpp"
#include "server/identity/verdict.hpp"

#include <nlohmann/json_fwd.hpp>

#include <cstddef>
#include <cstdint>
#include <string>

namespace pulsewire::identity {

// Clocks of issuers may differ from ours by this much.
inline constexpr std::int64_t token_leeway_ms = 30'000;

inline constexpr std::size_t info_bytes_max = 1'024;  // that of limits::presence_info_bytes_max
inline constexpr std::size_t subscribe_max = 64;
inline constexpr std::size_t token_id_bytes_max = 128;

struct claim_fault {
    token_fault fault;
    std::string why;  // as in refused
};

struct checked_claims {
    accepted as;
    // The token is good from `from_ms` until before `until_ms`, leeway included.
    std::int64_t from_ms;
    std::int64_t until_ms;
};

// `wall_ms` is the time of day in milliseconds since 1970.
result<checked_claims, claim_fault> check_claims(
    const nlohmann::json& claims, const token_issuer& issuer, std::int64_t wall_ms
);

}  // namespace pulsewire::identity
