#include "server/endpoint/router.hpp"

#include "server/endpoint/endpoints.hpp"
#include "server/endpoint/http_conversation.hpp"
#include "server/endpoint/routes.hpp"
#include "server/http/authorization.hpp"
#include "server/log.hpp"
#include "server/net/peer.hpp"
#include "server/shard/node.hpp"
#include "server/shard/shard.hpp"

#include <utility>

namespace pulsewire::shell {
namespace {

void show_health(http_conversation& c) {
    response r;
    const bool leaving = c.own_shard().draining() || c.own_node().announced_drain();
    r.status = leaving ? 503 : 200;
    r.content_type = "text/plain; charset=utf-8";
    r.body = leaving ? "draining\n" : "ok\n";
    r.add("Cache-Control", "no-store");
    c.answer(std::move(r));
}

// Metrics are for this machine, and for whoever has the API key.
bool may_see_metrics(const http_conversation& c) {
    const std::string& key = c.settings().api_key;
    return peer_is_this_machine(c.owner().descriptor()) || (!key.empty() && carries_key(c.asked(), key));
}

void send_file(http_conversation& c) {
    found_file found = find_static_file(c.settings().web_root, c.asked(), c.settings().drain_url);
    if (found.file) return c.answer_with_file(std::move(*found.file));
    c.answer(std::move(found.other));
}

// A page or a key that is not known; other mistakes are the client's own and told to it alone.
void log_refusal(http_conversation& c, int status) {
    if (status == 403)
        c.log_refusal(
            "pages of the origin " + log::printable(c.asked().field("Origin")) +
            " may not use this server; the setting is allowed_origins"
        );
    if (status == 401)
        c.log_refusal(log::printable(c.asked().path) + " without the right API key; the setting is api_key");
}

void go_to(http_conversation& c, destination d) {
    switch (d.to) {
        case endpoint::websocket:
            return open_websocket(c);
        case endpoint::plain_websocket:
            return open_plain_websocket(c, d.channel);
        case endpoint::open_stream:
            return open_stream(c);
        case endpoint::post_to_stream:
            return post_to_stream(c);
        case endpoint::events:
            return open_events(c);
        case endpoint::publish:
            return api_publish(c, std::move(d.channel));
        case endpoint::history:
            return api_history(c, std::move(d.channel));
        case endpoint::presence:
            return api_presence(c, std::move(d.channel));
        case endpoint::health:
            return show_health(c);
        case endpoint::metrics:
            if (may_see_metrics(c)) return show_metrics(c);
            log_refusal(c, 401);
            return c.answer(unauthorized());
        case endpoint::file:
            return send_file(c);
    }
}

}  // namespace

void answer_request(http_conversation& c) {
    const auto how = c.own_node().has_tls() ? reached::over_tls : reached::somehow;
    route found = find_route(c.asked(), c.settings(), how);
    c.allow_origin(found.origin);
    if (!found.end) {
        log_refusal(c, found.end.error().status);
        return c.answer(std::move(found.end).error());
    }
    go_to(c, std::move(*found.end));
}

}  // namespace pulsewire::shell
