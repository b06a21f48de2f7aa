#pragma once

// The answers of a token_verifier.

#include "common/access/principal.hpp"

#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>
#include <variant>

namespace pulsewire::identity {

enum class token_fault : std::uint8_t {
    malformed,  // no token in the form of JWS compact, or a header that is not understood
    algorithm,  // an algorithm that no key of the issuer has
    key,        // a key that the issuer does not have
    signature,  // not made with the key
    issuer,     // of nobody whose tokens count here
    audience,   // for another service
    expired,
    not_yet_valid,
    user,         // no user, or no usable name
    claim,        // another claim is missing or wrong
    unavailable,  // the issuer's keys could not be had so far: the same token may be good later
};

inline constexpr std::string_view token_fault_names[] = {
    "malformed", "algorithm",     "key",  "signature", "issuer",     "audience",
    "expired",   "not_yet_valid", "user", "claim",     "unavailable"};

constexpr std::string_view name_of(token_fault f) {
    return token_fault_names[static_cast<std::size_t>(f)];
}

struct accepted {
    access::principal_ptr who;  // never null
};

// Texts are printable and bounded; none has a part of the token that would let somebody in.
struct refused {
    token_fault fault = token_fault::malformed;
    std::string why;     // a sentence for the operator's log, never for the client
    std::string key_id;  // "kid" and "iss" as the token claims them; empty: unknown
    std::string issuer;
};

// The token may be good: its key is unknown here, and the issuer is being asked for its keys. Verify again
// after token_verifier has said that the keys were asked for; at the latest some seconds later.
struct unknown_key {
    std::string key_id;
    std::string issuer;
};

using outcome = std::variant<accepted, refused, unknown_key>;

}  // namespace pulsewire::identity
