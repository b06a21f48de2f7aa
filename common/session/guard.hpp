#pragma once

// The only place that decides whether a session may carry out a command now. Every command
// passes here before it has any effect.

#include "common/exchange/config.hpp"
#include "common/protocol/codes.hpp"
#include "common/protocol/command.hpp"
#include "common/protocol/operations.hpp"
#include "common/session/session.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace pulsewire::hub {

// The reason why a command is not carried out. `text` is for people.
struct refusal {
    error_code code = error_code::none;
    std::string text;
    std::string pointer;  // of the value in the payload, where that is the reason
};

// Whether the connection is a client and not a request of the HTTP API.
bool is_client(face f);

// Everything that the session may do on the channel now.
// `options` are those of its namespace.
operations permitted(const session& s, std::string_view channel, const namespace_options& options);

// The operations that a command takes on its channel.
operations needed(const command& c);

// Whether the namespace takes declared types alone and no schema declares that of this publish. A handler of
// the application still may.
bool is_undeclared(const command& c, const namespace_options& options);

// Returns nothing when `c` may be carried out.
std::optional<refusal> guard(const session& s, const command& c, const config& settings);

}  // namespace pulsewire::hub
