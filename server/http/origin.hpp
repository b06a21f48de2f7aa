#pragma once

// Which pages may use the server (protection against cross-site WebSocket hijacking and forged requests).

#include "server/http/request.hpp"
#include "server/http/response.hpp"

#include <string>
#include <vector>

namespace pulsewire::shell {

struct origin_verdict {
    bool allowed = false;
    // The page's origin where it is another than our own and is allowed: checked text, fit for a response
    // field.
    std::string cross_origin;
};

// A request without Origin does not come from a page of another site and is allowed. A page of our own host
// is: its origin's host and port are those of the field Host. Others must be listed, as they stand or by "*".
origin_verdict check_origin(const request& r, const std::vector<std::string>& allowed_origins);

response origin_refused();

// The answer to OPTIONS of an allowed page.
response preflight(std::string_view methods);

}  // namespace pulsewire::shell
