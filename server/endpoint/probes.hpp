#pragma once

// What load balancers and supervisors ask: GET /healthz, /livez and /readyz. Pure: the router fetches the
// facts. None of the answers is a secret, and no key is asked for.

#include "server/http/response.hpp"

namespace pulsewire::shell {

// What decides about the answers.
struct probe_facts {
    bool draining = false;         // the server is about to end
    bool storage_failing = false;  // the data folder refuses writes
    // The shared log was never read to its end, or this node cannot take part in it. Others may be better
    // off; where the broker is away, none is, and that makes nobody unready.
    bool log_missing = false;
    bool late = false;  // the loop that answers takes no new clients
};

// 200 "ok", or 503 "draining". A page may read it, to find out when the server is back.
response health(const probe_facts& facts);
// Always 200: a supervisor that starts a server anew must not do so because it drains, or because its disk is
// full.
response live();
// 200 "ready", or 503 with a sentence that says why nobody new should be sent here.
response ready(const probe_facts& facts);

}  // namespace pulsewire::shell
