#pragma once

// The client behind proxies that the operator trusts.

#include "server/base/address.hpp"
#include "server/http/request.hpp"

#include <span>

namespace pulsewire::shell {

// The address of the client: `peer`, or where that is one of the proxies, the last address of X-Forwarded-For
// that is none of them. Everything before that one is the client's own invention. A field that names nobody
// leaves it at the proxy nearest to the client.
address client_of(const request& r, const address& peer, std::span<const network> proxies);

// Whether a proxy says that it passes the request on.
bool is_forwarded(const request& r);

}  // namespace pulsewire::shell
