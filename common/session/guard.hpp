#pragma once

// The one place where it is decided whether a session may carry out a command now. Every command passes here
// before anything of it has an effect.

#include "common/exchange/config.hpp"
#include "common/protocol/codes.hpp"
#include "common/protocol/command.hpp"
#include "common/session/session.hpp"

#include <optional>
#include <string>

namespace pulsewire::hub {

// Why a command is not carried out. `text` is for people.
struct refusal {
    error_code code = error_code::none;
    std::string text;
};

// Whether this connection is a client's, and not one request of the HTTP API.
bool is_client(face f);

// Nothing when `c` may be carried out.
std::optional<refusal> guard(const session& s, const command& c, const config& settings);

}  // namespace pulsewire::hub
