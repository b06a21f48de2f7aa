#pragma once

// Who may use the HTTP API and read the metrics (protocol 11.5).

#include "server/http/response.hpp"

namespace pulsewire::shell {

class http_conversation;

// Whether the request carries the API key, where one is configured.
bool has_api_key(const http_conversation& c);
// Metrics are for this machine, and for whoever has the API key.
bool may_see_metrics(const http_conversation& c);

response unauthorized();

}  // namespace pulsewire::shell
