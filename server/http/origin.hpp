#pragma once

// Which pages may use the server (protection against cross-site WebSocket hijacking and forged requests).

#include "server/http/request.hpp"
#include "server/http/response.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace pulsewire::shell {

struct origin_verdict {
    bool allowed = false;
    // The page's origin where it is another than our own and is allowed: checked text, fit for a response
    // field.
    std::string cross_origin;
};

// How the page's browser reached this server: what came over TLS of our own is no page of plain http. Whether
// a proxy spoke TLS in front of us is not known.
enum class reached : std::uint8_t { somehow, over_tls };

// A page of our own host is allowed: its origin's host and port are those of the field Host. Others must be
// listed, as they stand, as "https://*.example.com" (every name below, of one label or more), or by "*". A
// request without Origin is allowed unless its browser says that it comes from another site, as an image or a
// link there does.
origin_verdict check_origin(
    const request& r, const std::vector<std::string>& allowed_origins, reached how = reached::somehow
);

// Pages may read it, whoever they are: it says nothing of them, and why they are refused is all they can tell
// their people.
response origin_refused();
// Lets every page read an answer that holds nothing of anybody's.
void make_readable(response& r);

// The answer to OPTIONS of an allowed page.
response preflight(std::string_view methods);

}  // namespace pulsewire::shell
