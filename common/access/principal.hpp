#pragma once

// Somebody whom the server knows: what a token said, once it was verified.

#include "common/access/grants.hpp"
#include "common/protocol/operations.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace pulsewire::access {

// Immutable once shared. Sessions that showed the same token share it.
struct principal {
    std::string user;  // as on the wire: wire_name_of(); empty: a program, or somebody unknown
    grants allowed;
    std::string info;  // JSON that the members of a channel see beside the user; empty: none
    // Channels that the clients of the user are asked to subscribe to (protocol 4.26).
    std::vector<std::string> subscribe;
    std::string token_id;         // "jti"; empty: none
    std::int64_t issued_ms = 0;   // wall clock; 0: the token does not say
    std::int64_t expires_ms = 0;  // wall clock; after it the token is worth nothing
    // The bearer of an API key that is for some things only: may do what is allowed here and nothing else,
    // whatever namespaces give to everybody, and says who published.
    bool is_program = false;
};
// Null stands for somebody unknown.
using principal_ptr = std::shared_ptr<const principal>;

// The outcome of the verification of a token.
struct verdict {
    principal_ptr who;       // null: the token proves nothing
    bool try_later = false;  // ... as far as it can be verified now
    bool expired = false;    // ... any more: it has expired or was revoked, and a new one may be good
};

// Everything that somebody may do on a channel of a namespace with these rules: what the namespace gives to
// everybody, to users and to the channel's owner, and what the token adds.
operations permitted(const principal* who, std::string_view channel, const access_rules& rules);

// The user's name as messages, patterns and channels carry it: bytes other than letters, digits, '_', '-' and
// '.' become "=XX" in hexadecimal. So it needs no escape, has no ':' and stays unique.
std::string wire_name_of(std::string_view user);

// The name that wire_name_of() made it from; empty when it made none like it.
std::string user_named(std::string_view wire_name);

}  // namespace pulsewire::access
