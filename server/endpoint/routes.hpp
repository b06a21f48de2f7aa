#pragma once

// Which endpoint answers a request, and whether the request may go there. Pure: router.cpp obeys.

#include "common/access/principal.hpp"
#include "common/base/result.hpp"
#include "server/config.hpp"
#include "server/config/api_keys.hpp"
#include "server/http/origin.hpp"
#include "server/http/request.hpp"
#include "server/http/response.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace pulsewire::shell {

enum class endpoint : std::uint8_t {
    websocket,
    plain_websocket,
    open_stream,
    post_to_stream,
    events,
    publish,
    history,
    presence,
    health,
    live,
    ready,
    revocations,
    disconnect_user,
    subscribe_user,
    unsubscribe_user,
    tickets,
    begin_session,
    end_session,
    metrics,
    cluster,
    stream,
    resource_metadata,
    file,
};

struct destination {
    endpoint to;
    std::string channel;    // of the path; for plain_websocket still percent-encoded
    std::string user = {};  // of the path, on the wire
    std::string key = {};   // the name of the API key that let it in, where one was asked for
    // Nobody knows yet who asks: a token has to say so, or the namespace lets everybody.
    bool asks_who = false;
    // All that this key is for; null for one that may do everything, and without a key.
    access::principal_ptr only = {};
    // The client has no key where others have one, and may do what everybody may.
    bool is_anybody = false;
};

struct route {
    // Pages of this origin may read the answer, whatever it is.
    origin_verdict origin{true, {}};
    // Where the request goes, or the answer where it may go nowhere.
    result<destination, response> end;
};

// Whether the path is one of those by which load balancers and supervisors ask how the server is: under
// whatever name they know it, and past its base path.
bool is_probe(std::string_view path);

// `r` reached this server as `how` says. Where tokens are verified (config::issuers), clients without an API
// key may use the API for what they are permitted. Without keys the API is open, and whether a client may see
// metrics depends on its address, which is left to the endpoint.
route find_route(const request& r, const config& settings, const api_keys& keys, reached how);

}  // namespace pulsewire::shell
