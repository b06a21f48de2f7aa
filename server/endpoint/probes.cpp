#include "server/endpoint/probes.hpp"

#include "server/http/origin.hpp"

#include <string>
#include <utility>

namespace pulsewire::shell {
namespace {

response plain(int status, std::string text) {
    response r;
    r.status = status;
    r.content_type = "text/plain; charset=utf-8";
    r.body = std::move(text) + '\n';
    r.add("Cache-Control", "no-store");
    return r;
}

}  // namespace

response health(const probe_facts& facts) {
    response r = facts.draining ? plain(503, "draining") : plain(200, "ok");
    make_readable(r);
    return r;
}

response live() {
    return plain(200, "alive");
}

response ready(const probe_facts& facts) {
    if (facts.draining) return plain(503, "draining: this server is about to end and sends its clients away");
    if (facts.storage_failing)
        return plain(
            503, "the data folder refuses writes: publishes to durable channels fail; the log says why"
        );
    if (facts.log_missing)
        return plain(503, "the shared log is not read to its end yet, or this node cannot take part in it");
    if (facts.late) return plain(503, "an event loop is late and takes no new clients: shed_loop_lag_ms");
    return plain(200, "ready");
}

}  // namespace pulsewire::shell
