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

// Whether pages of other ports of this machine are let in without being listed, such as that of a development
// server (http://localhost:5173).
enum class neighbours : std::uint8_t { as_listed, allowed };

// A page of our own host is allowed: its origin's host and port are those of the field Host. Others must be
// listed, as they stand, as "https://*.example.com" (every name below, of one label or more), or by "*", or
// be allowed neighbours that call this server by a name of loopback. A request without Origin is allowed
// unless its browser says that it comes from another site, as an image or a link there does.
origin_verdict check_origin(
    const request& r, const std::vector<std::string>& allowed_origins, reached how = reached::somehow,
    neighbours others = neighbours::as_listed
);

// Whether the page would be our own if Host had its port, which proxies leave out that pass on the name
// alone.
bool lacks_port(const request& r);

// Pages may read it, whoever they are: it says nothing of them, and why they are refused is all they can tell
// their people.
response origin_refused(const request& r);
// Lets every page read an answer that holds nothing of anybody's.
void make_readable(response& r);

// The answer to OPTIONS of an allowed page.
response preflight(std::string_view methods);

}  // namespace pulsewire::shell
