#pragma once

// The names under which clients may ask for this server: protection against DNS rebinding, where a page's own
// name is made to point to this server's address, so that its browser takes both for one origin.

#include "server/http/request.hpp"
#include "server/http/response.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pulsewire::shell {

// Whether the field Host names this server. The names of loopback, which can mean no other machine, always
// do; so does every name when none is listed and the server listens on another address than loopback. A
// request of HTTP/1.0 without the field comes from no browser.
bool names_this_server(
    const request& r, const std::vector<std::string>& allowed_hosts, std::string_view listens_on
);

response host_refused();

}  // namespace pulsewire::shell
