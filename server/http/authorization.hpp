#pragma once

// The API key in a request (protocol 11.5).

#include "server/http/request.hpp"
#include "server/http/response.hpp"

#include <optional>
#include <string_view>

namespace pulsewire::shell {

// The key that the request carries as "Authorization: Bearer <key>"; nothing when there is none, or when two
// fields leave to each reader which one counts.
std::optional<std::string_view> key_of(const request& r);

// The answer to a request without it.
response unauthorized();

}  // namespace pulsewire::shell
