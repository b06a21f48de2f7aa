#include "server/endpoint/router.hpp"

#include "common/exchange/message_text.hpp"
#include "common/protocol/event_stream.hpp"
#include "server/base/audit_log.hpp"
#include "server/base/origin_entry.hpp"
#include "server/endpoint/endpoints.hpp"
#include "server/endpoint/http_conversation.hpp"
#include "server/endpoint/lost_page.hpp"
#include "server/endpoint/probes.hpp"
#include "server/endpoint/routes.hpp"
#include "server/endpoint/stream_request.hpp"
#include "server/http/authorization.hpp"
#include "server/http/forwarded.hpp"
#include "server/http/host.hpp"
#include "server/http/resource_metadata.hpp"
#include "server/http/text.hpp"
#include "server/http/token.hpp"
#include "server/log.hpp"
#include "server/random.hpp"
#include "server/shard/node.hpp"
#include "server/shard/shard.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace pulsewire::shell {
namespace {

probe_facts facts_of(http_conversation& c) {
    node& all = c.own_node();
    return {
        c.own_shard().draining() || all.announced_drain(), all.storage_is_failing(),
        all.shares_log() && !all.log_is_ready(), c.own_shard().refuses_clients()};
}

reached reached_how(const http_conversation& c) {
    return c.own_node().has_tls() ? reached::over_tls : reached::somehow;
}

// Without a key metrics are for this machine alone, from which every request seems to come behind a proxy on
// it.
bool may_see_metrics(const http_conversation& c) {
    if (!c.own_shard().keys().empty()) return true;  // the route has asked for the key
    const bool proxied = c.client() == c.owner().peer() && is_forwarded(c.asked());
    return c.client().is_loopback() && !proxied;
}

// An answer that may say that nothing is there, to a person or a program.
void answer_lost(http_conversation& c, response answer) {
    show_to_person(c.asked(), c.settings().base_path, !c.settings().web_root.empty(), answer);
    c.answer(std::move(answer));
}

void send_file(http_conversation& c) {
    found_file found = find_static_file(c.settings().web_root, c.asked(), c.settings().drain_url);
    if (found.file) return c.answer_with_file(std::move(*found.file));
    answer_lost(c, std::move(found.other));
}

// Counts a refusal, and lets the operator find it with the setting that would change it; mistakes of other
// kinds are the client's own and told to it alone.
void note_refusal(
    http_conversation& c, refused_for why, std::string_view setting, std::string_view named,
    const std::string& sentence
) {
    refusal_note n;
    n.why = why;
    n.setting = setting;
    n.sentence = sentence;
    n.method = name_of(c.asked().verb);
    n.path = c.asked().path;
    n.named = named;
    c.own_shard().note_refusal(c.client(), n);
}

// An API key must not be found by trying: each wrong one counts as so many requests.
constexpr std::uint32_t wrong_key_costs = 100;
// The longest origin that log::printable() shows whole.
constexpr std::size_t shown_origin_bytes_max = 80;

// Once for each origin, where nobody looks for it: the page's people see only that nothing connects.
void warn_of_origin(http_conversation& c) {
    const std::string_view origin = c.asked().field("Origin");
    if (c.asked().count("Origin") > 1 || !fault_of_origin(origin).empty() ||
        origin.size() > shown_origin_bytes_max || !c.own_node().turned_away().first(origin))
        return;
    const std::string shown = log::printable(origin);
    if (lacks_port(c.asked()))
        return log::warning(
            "pages of ", shown, " came with the field Host \"", log::printable(c.asked().field("Host")),
            "\", without their port, and are refused: a proxy in front has to pass Host on whole, "
            "as nginx does by proxy_set_header Host $http_host"
        );
    log::warning(
        "pages of ", shown,
        " may not use this server. If they are yours, start the server with --allow-origin ", shown,
        ", or add it to \"allowed_origins\": [\"", shown, "\"]"
    );
}

void note_refusal(http_conversation& c, int status) {
    const request& r = c.asked();
    if (status == 403 && r.count("Origin") > 0) {
        warn_of_origin(c);
        note_refusal(
            c, refused_for::origin, "allowed_origins", r.field("Origin"),
            "pages of the origin " + log::printable(r.field("Origin")) +
                (lacks_port(r) ? " came with a field Host that lacks their port" : " may not use this server")
        );
    } else if (status == 403) {
        note_refusal(
            c, refused_for::origin, "allowed_origins", {},
            "a page of another site asked for " + log::printable(r.path) + " without its origin"
        );
    } else if (status == 401) {
        if (key_of(r)) (void)c.charge(wrong_key_costs - 1);
        note_refusal(
            c, refused_for::key, "api_key", {}, log::printable(r.path) + " without the right API key"
        );
    }
}

// An event stream that is nothing but its end. EventSource gives up for ever at any answer that is no event
// stream, and comes back after this one.
response brief_stream(std::string_view why) {
    const auto spread = static_cast<std::uint64_t>(full_wait_ms);
    const auto after =
        static_cast<std::uint32_t>(full_wait_ms) + static_cast<std::uint32_t>(random_bits() % spread);
    response r;
    r.content_type = "text/event-stream";
    r.add("Cache-Control", "no-store");
    event_stream::append_close(r.body, hub::make_close(close_code::try_again_later, after, why)->line, after);
    r.closes = true;
    return r;
}

// Answers a request that comes at a bad time, with `otherwise` where the client reads the status.
void send_back(http_conversation& c, const route& found, response otherwise) {
    const request& r = c.asked();
    const bool is_event_source =
        found.end && found.end->to == endpoint::events &&
        std::any_of(r.fields.begin(), r.fields.end(), [](const auto& f) {
            return same_ignoring_case(f.first, "Accept") && list_has(f.second, "text/event-stream");
        });
    if (!is_event_source) return c.answer(std::move(otherwise));
    c.answer(brief_stream("there is no room for this stream now; come back later"));
}

// A stream is about to open, which is a connection more of a client behind a proxy. False after a refusal,
// which is the answer.
bool admits_stream(http_conversation& c, const route& found) {
    auto why = address_limits::outcome::admitted;
    if (c.admit_stream(why)) return true;
    const bool too_many = why == address_limits::outcome::too_many_connections;
    note_refusal(
        c, too_many ? refused_for::connections : refused_for::connects,
        too_many ? "connections_per_address_max" : "connects_per_address_per_second", {},
        too_many ? "its address has too many connections" : "its address opens connections too quickly"
    );
    send_back(c, found, address_is_full());
    return false;
}

// Who is there already keeps its stream, and the API and metrics answer on. False after a refusal, which is
// the answer.
bool has_time_for_stream(http_conversation& c, const route& found) {
    if (!c.own_shard().refuses_clients()) return true;
    note_refusal(c, refused_for::load, "shed_loop_lag_ms", {}, "its loop is late and takes no new clients");
    send_back(c, found, server_is_late());
    return false;
}

// Makes the checks of every path. False after a refusal, which is the answer.
bool admits(http_conversation& c, const route& found) {
    // A server that is full lives; who starts it anew for that would cut all its clients.
    if (found.end && found.end->to == endpoint::live) return true;
    const turned_away why = c.owner().why_turned_away();
    if (why != turned_away::no) {
        // A page that may not come is told that, and not when to come back.
        if (!found.end && found.end.error().status == 403) return true;
        send_back(c, found, why == turned_away::server_is_full ? server_is_full() : address_is_full());
        return false;
    }
    if (const std::int64_t wait_ms = c.charge(); wait_ms > 0) {
        note_refusal(
            c, refused_for::requests, "requests_per_address_per_second", {},
            "its address sends too many requests"
        );
        send_back(c, found, too_many_requests("this address sends too many requests", wait_ms));
        return false;
    }
    // A load balancer asks for the health by whatever name, and it is no secret.
    const config& settings = c.settings();
    if (is_probe(c.asked().path) || names_this_server(c.asked(), settings.allowed_hosts, settings.address))
        return true;
    const std::string_view host = c.asked().field("Host");
    note_refusal(
        c, refused_for::host, "allowed_hosts", host,
        "the host " + log::printable(host) + " is no name of this server"
    );
    c.answer(host_refused());
    return false;
}

// Calls with a key are administrative acts.
void audit_call(http_conversation& c, const destination& d) {
    if (d.key.empty()) return;
    audit_entry e;
    e.event = "api";
    e.method = name_of(c.asked().verb);
    e.path = c.asked().path;
    e.key = d.key;
    c.own_shard().audit(c.client(), e);
}

// Somebody without a name who may do this everywhere.
access::principal_ptr somebody(operations may) {
    access::principal p;
    p.expires_ms = std::numeric_limits<std::int64_t>::max() / 2;
    (void)p.allowed.add("**", may);
    return std::make_shared<const access::principal>(std::move(p));
}

bool is_api(endpoint to) {
    return to == endpoint::publish || to == endpoint::history || to == endpoint::presence ||
           to == endpoint::stream;
}

bool sets_cookie(endpoint to) {
    return to == endpoint::begin_session || to == endpoint::end_session;
}

// A page that may come can act with its visitor's cookie where it is ours, or listed for that.
bool may_use_cookie(const http_conversation& c, const origin_verdict& page) {
    const bool from_page =
        c.asked().count("Origin") == 1 || c.asked().field("Sec-Fetch-Site") == "same-origin";
    return from_page && (page.cross_origin.empty() || c.settings().allow_credentials);
}

// Finds out who the client is, where that is asked. False after a refusal, which is the answer.
bool knows_client(http_conversation& c, const route& found) {
    if (found.end->only != nullptr) return c.identify(found.end->only), true;
    static const auto nobody = somebody(operations());
    if (found.end->is_anybody) return c.identify(nobody), true;
    if (!found.end->asks_who) return true;
    const auto shown = key_of(c.asked());
    if (const api_key* key = shown ? c.own_shard().keys().find(*shown) : nullptr; key != nullptr) {
        static const auto program = somebody(operations::all());
        return c.identify(key->only != nullptr ? key->only : program), true;
    }
    // A cookie makes no ticket for the next one: it would live for ever.
    const bool cookies = found.end->to != endpoint::tickets && may_use_cookie(c, found.origin);
    const auto token = token_of(c.asked(), cookies, c.settings().token_in_query);
    if (!token) {
        // Over these the token can come in `connect`.
        const bool later = found.end->to == endpoint::websocket || found.end->to == endpoint::open_stream;
        const bool for_all = c.settings().anonymous && found.end->to != endpoint::tickets;
        if (!later && !for_all)
            return c.answer(token_wanted(metadata_address(c.asked(), c.settings(), reached_how(c)))), false;
        // A request to the API by nobody in particular would be one with its key.
        if (is_api(found.end->to)) c.identify(nobody);
        return true;
    }
    std::string refused;
    const auto verdict = c.own_node().verify(*token, refused);
    if (verdict && verdict->who != nullptr) {
        log::debug(c.client().str(), " shows a token of ", verdict->who->user);
        return c.identify(verdict->who), true;
    }
    if (!verdict || verdict->try_later) {
        send_back(c, found, keys_are_missing());
    } else {
        // Trying costs as much as trying API keys.
        (void)c.charge(wrong_key_costs - 1);
        c.own_shard().note_token(c.client(), refused);
        c.answer(token_refused());
    }
    return false;
}

response key_is_for_channels() {
    return error_response(
        403, error_code::forbidden, "this API key is for some channels only, and for nothing else"
    );
}

response cookie_refused() {
    return error_response(
        403, error_code::forbidden,
        "only a page of this server's own origin has its cookie set, or one of allowed_origins where "
        "allow_credentials is on"
    );
}

bool is_stream(const http_conversation& c, endpoint to) {
    return (to == endpoint::stream && is_live(c.asked(), c.settings())) || to == endpoint::websocket ||
           to == endpoint::plain_websocket || to == endpoint::open_stream || to == endpoint::events;
}

void go_to(http_conversation& c, destination d) {
    audit_call(c, d);
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
        case endpoint::revocations:
            return api_revoke(c);
        case endpoint::disconnect_user:
            return api_disconnect_user(c, std::move(d.user));
        case endpoint::subscribe_user:
            return api_subscribe_user(c, std::move(d.user));
        case endpoint::unsubscribe_user:
            return api_unsubscribe_user(c, std::move(d.user));
        case endpoint::tickets:
            return api_ticket(c, !d.key.empty());
        case endpoint::begin_session:
            return api_begin_session(c);
        case endpoint::end_session:
            return api_end_session(c);
        case endpoint::stream:
            return answer_about_stream(c, std::move(d.channel));
        case endpoint::health:
            return c.answer(health(facts_of(c)));
        case endpoint::live:
            return c.answer(live());
        case endpoint::ready:
            return c.answer(ready(facts_of(c)));
        case endpoint::metrics:
            if (may_see_metrics(c)) return show_metrics(c);
            note_refusal(c, 401);
            return c.answer(unauthorized());
        case endpoint::cluster:
            if (may_see_metrics(c)) return show_cluster(c);
            note_refusal(c, 401);
            return c.answer(unauthorized());
        case endpoint::resource_metadata:
            return c.answer(resource_metadata(c.asked(), c.settings(), reached_how(c)));
        case endpoint::file:
            return send_file(c);
    }
}

}  // namespace

void answer_request(http_conversation& c) {
    route found = find_route(c.asked(), c.settings(), c.own_shard().keys(), reached_how(c));
    c.allow_origin(found.origin);
    if (!admits(c, found)) return;
    if (!found.end) {
        note_refusal(c, found.end.error().status);
        return answer_lost(c, std::move(found.end).error());
    }
    if (found.end->only != nullptr && !is_api(found.end->to)) {
        note_refusal(
            c, refused_for::key, "api_keys", {},
            log::printable(c.asked().path) + " by the API key " + log::printable(found.end->key) +
                ", which is for some channels only"
        );
        return c.answer(key_is_for_channels());
    }
    // The page of somebody else must not sign a visitor in, as whoever it likes, nor out.
    if (sets_cookie(found.end->to) && !may_use_cookie(c, found.origin)) return c.answer(cookie_refused());
    if (is_stream(c, found.end->to) && !has_time_for_stream(c, found)) return;
    if (!knows_client(c, found)) return;
    if (is_stream(c, found.end->to) && !admits_stream(c, found)) return;
    go_to(c, std::move(*found.end));
}

}  // namespace pulsewire::shell
