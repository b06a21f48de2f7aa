#pragma once

// The name under which other clients know a session (docs/protocol.md 4.2).

#include <string>
#include <string_view>

namespace pulsewire::hub {

// The session that a client draws proves who it is, so nobody else may see it. Presence, `except`, `from` and
// `to` show this name instead: 16 characters of base64url out of a SHA-256. It is the same on every node and
// after a restart, and it tells nothing of the session.
std::string public_name(std::string_view session);

}  // namespace pulsewire::hub
