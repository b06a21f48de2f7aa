#pragma once

// The API key in a request (protocol 11.5).

#include "server/http/request.hpp"
#include "server/http/response.hpp"

#include <string>

namespace pulsewire::shell {

// Whether the request carries this key as "Authorization: Bearer <key>". Takes as long for a nearly right
// guess as for a wrong one. Precondition: the key is not empty.
bool carries_key(const request& r, const std::string& key);

// The answer to a request without it.
response unauthorized();

}  // namespace pulsewire::shell
