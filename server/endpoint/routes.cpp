#include "server/endpoint/routes.hpp"

#include "common/access/principal.hpp"
#include "common/protocol/names.hpp"
#include "server/base/host_name.hpp"
#include "server/endpoint/stream_request.hpp"
#include "server/http/authorization.hpp"
#include "server/http/resource_metadata.hpp"
#include "server/http/text.hpp"

#include <initializer_list>
#include <optional>
#include <string_view>
#include <utility>

namespace pulsewire::shell {
namespace {

constexpr std::string_view plain_prefix = "/ws/plain/";
constexpr std::string_view api_prefix = "/api/";
constexpr std::string_view channels_prefix = "/api/channels/";
constexpr std::string_view users_prefix = "/api/users/";
constexpr std::string_view health_path = "/healthz";
constexpr std::string_view live_path = "/livez";
constexpr std::string_view ready_path = "/readyz";

using methods = std::initializer_list<method>;

route nowhere(response answer) {
    return {{true, {}}, failure{std::move(answer)}};
}

// Of an endpoint that pages of other hosts have no use for.
route same_origin(const request& r, methods allowed, destination d) {
    for (const method m : allowed)
        if (m == r.verb) return {{true, {}}, std::move(d)};
    return nowhere(wrong_method(allowed.size() == 1 ? "GET" : "GET, HEAD"));
}

// The answer for pages that may not come, preflights and wrong methods; nothing where the request may go on.
std::optional<response> turned_away(const request& r, const origin_verdict& verdict, methods allowed) {
    if (!verdict.allowed) return origin_refused(r);
    std::string names;
    for (const method m : allowed) {
        if (m == r.verb) return std::nullopt;
        names += (names.empty() ? "" : ", ") + std::string(name_of(m));
    }
    names += ", OPTIONS";
    if (r.verb != method::options) return wrong_method(names);
    response answer = preflight(names);
    answer.add("Allow", names);
    return answer;
}

response no_channel_name() {
    return error_response(
        400, error_code::invalid_channel,
        "the channel in the path must have 1 to 255 characters out of A-Z a-z 0-9 _ - . : / @ ~ = + $ !"
    );
}

response no_stream_name() {
    return error_response(
        400, error_code::invalid_channel,
        "the name of a stream has up to 200 characters out of A-Z a-z 0-9 _ - . : / @ ~ = + $ !"
    );
}

void allow_stream_fields(response& preflight) {
    for (auto& [name, value] : preflight.fields)
        if (name == "Access-Control-Allow-Headers")
            value +=
                ", If-None-Match, Stream-Seq, Stream-TTL, Stream-Expires-At, Stream-Closed, Producer-Id, "
                "Producer-Epoch, Producer-Seq";
}

response no_users() {
    return error_response(
        404, error_code::not_found,
        "without an issuer of tokens (token_issuer) this server has no users, and so no tickets"
    );
}

// OPTIONS * (RFC 9110 9.3.7). No page can ask for it.
route whole_server() {
    response answer;
    answer.status = 204;
    answer.add("Allow", "GET, HEAD, POST, OPTIONS");
    return nowhere(std::move(answer));
}

response not_below(std::string_view base_path) {
    return error_response(
        404, error_code::not_found,
        "everything of this server is below " + std::string(base_path) + "/ (its setting base_path)"
    );
}

// Of the base path without its last slash, against which a page's links would lead elsewhere.
response redirect_into(const request& r) {
    response moved = error_response(308, error_code::not_supported, "the address ends with a slash");
    moved.add("Location", std::string(r.base) + "/" + (r.query.empty() ? "" : "?" + std::string(r.query)));
    return moved;
}

// Where only this machine reaches the server and its operator has named neither an origin nor an API key,
// every program of the machine may use it anyway, and a developer's first page need not be listed.
neighbours neighbours_of(const config& settings, const api_keys& keys) {
    return settings.allowed_origins.empty() && keys.empty() && is_loopback_address(settings.address)
               ? neighbours::allowed
               : neighbours::as_listed;
}

class finder {
public:
    finder(const request& r, const config& settings, const api_keys& keys, reached how)
        : r_(r),
          keys_(keys),
          verifies_tokens_(!settings.issuers.empty()),
          verdict_(check_origin(r, settings.allowed_origins, how, neighbours_of(settings, keys))) {}

    route to(methods allowed, destination d) const {
        if (auto answer = turned_away(r_, verdict_, allowed)) return away(std::move(*answer));
        d.asks_who = verifies_tokens_ && d.to != endpoint::post_to_stream;
        return {verdict_, std::move(d)};
    }

    // /api/channels/<channel>/messages and .../presence. The origin comes before the key, so that a page that
    // may not come learns nothing of the key.
    route api() const {
        if (r_.path == "/api/revocations") return administration({endpoint::revocations, {}});
        if (r_.path == "/api/tickets") return tickets();
        if (r_.path == "/api/session") return session({endpoint::begin_session, {}});
        if (r_.path == "/api/session/end") return session({endpoint::end_session, {}});
        if (r_.path.starts_with(users_prefix)) return user();
        std::string_view rest = r_.path;
        if (!rest.starts_with(channels_prefix)) return nowhere(not_found());
        rest.remove_prefix(channels_prefix.size());
        const std::size_t slash = rest.rfind('/');
        if (slash == std::string_view::npos) return nowhere(not_found());
        const std::string_view what = rest.substr(slash + 1);
        if (what == "messages")
            return api(
                {method::get, method::post}, r_.verb == method::post ? endpoint::publish : endpoint::history,
                rest.substr(0, slash)
            );
        if (what == "presence") return api({method::get}, endpoint::presence, rest.substr(0, slash));
        return nowhere(not_found());
    }

    // /streams/<name>: a page may ask for everything, and as at /events nobody needs a key for reading where
    // there are no users.
    route stream(std::string_view streams) const {
        static constexpr methods all = {method::get, method::head, method::post, method::put, method::remove};
        if (auto answer = turned_away(r_, verdict_, all)) {
            if (r_.verb == method::options) allow_stream_fields(*answer);
            return away(std::move(*answer));
        }
        auto key = shown_key();
        const bool asks_who = verifies_tokens_ && (!key || keys_.empty());
        const bool reads = r_.verb == method::get || r_.verb == method::head;
        if (!key && !asks_who && !reads) return away(unauthorized());
        const auto name = decode_percent(r_.path.substr(streams_path.size()));
        std::string channel = std::string(streams) + ":" + name.value_or("");
        if (!name || name->empty() || !is_channel(channel)) return away(no_stream_name());
        destination d{endpoint::stream, std::move(channel), {}, {}, asks_who};
        d.is_anybody = !key && !asks_who;
        if (key) d.key = std::move(key->name), d.only = std::move(key->only);
        return {verdict_, std::move(d)};
    }

    // Pages of other origins may not even make the server collect the numbers.
    route figures(endpoint to) const {
        if (!verdict_.allowed) return nowhere(origin_refused(r_));
        auto key = shown_key();
        if (!key) return nowhere(unauthorized());
        return same_origin(
            r_, {method::get}, {to, {}, {}, std::move(key->name), false, std::move(key->only)}
        );
    }

private:
    route api(methods allowed, endpoint to, std::string_view encoded) const {
        if (auto answer = turned_away(r_, verdict_, allowed)) return away(std::move(*answer));
        auto key = shown_key();
        const bool asks_who = verifies_tokens_ && (!key || keys_.empty());
        if (!key && !asks_who) return away(unauthorized());
        auto channel = decode_percent(encoded);
        if (!channel || !is_channel(*channel)) return away(no_channel_name());
        api_key shown = std::move(key).value_or(api_key());
        return {
            verdict_,
            destination{to, std::move(*channel), {}, std::move(shown.name), asks_who, std::move(shown.only)}};
    }

    // What only the bearer of an API key may do, and nobody where clients are asked who they are and the API
    // has no key.
    route administration(destination d) const {
        if (auto answer = turned_away(r_, verdict_, {method::post})) return away(std::move(*answer));
        auto key = shown_key();
        if (!key || (verifies_tokens_ && keys_.empty())) return away(unauthorized());
        d.key = std::move(key->name);
        d.only = std::move(key->only);
        return {verdict_, std::move(d)};
    }

    // A ticket is made for the bearer of a token, or by the bearer of an API key for anybody.
    route tickets() const {
        if (auto answer = turned_away(r_, verdict_, {method::post})) return away(std::move(*answer));
        if (!verifies_tokens_) return away(no_users());
        const auto key = keys_.empty() ? std::nullopt : shown_key();
        if (!key) return {verdict_, destination{endpoint::tickets, {}, {}, {}, true}};
        return {verdict_, destination{endpoint::tickets, {}, {}, key->name, false, key->only}};
    }

    // For pages, which have a ticket or the cookie in place of a key.
    route session(destination d) const {
        if (auto answer = turned_away(r_, verdict_, {method::post})) return away(std::move(*answer));
        if (!verifies_tokens_) return away(no_users());
        return {verdict_, std::move(d)};
    }

    // /api/users/<user>/disconnect, …/subscribe and …/unsubscribe
    route user() const {
        std::string_view rest = r_.path;
        rest.remove_prefix(users_prefix.size());
        const std::size_t slash = rest.rfind('/');
        const std::string_view what = slash == std::string_view::npos ? "" : rest.substr(slash + 1);
        const auto to = what == "disconnect"    ? std::optional(endpoint::disconnect_user)
                        : what == "subscribe"   ? std::optional(endpoint::subscribe_user)
                        : what == "unsubscribe" ? std::optional(endpoint::unsubscribe_user)
                                                : std::nullopt;
        if (!to) return nowhere(not_found());
        auto name = decode_percent(rest.substr(0, slash));
        if (!name || name->empty() || !is_user(access::wire_name_of(*name)))
            return away(error_response(
                400, error_code::invalid_frame,
                "the user in the path is the name in the token (\"sub\"), percent-encoded"
            ));
        return administration({*to, {}, access::wire_name_of(*name)});
    }

    // The key that the request carries; one without a name where none is needed, nothing where it has none.
    std::optional<api_key> shown_key() const {
        if (keys_.empty()) return api_key();
        const auto key = key_of(r_);
        const api_key* known = key ? keys_.find(*key) : nullptr;
        return known != nullptr ? std::optional(*known) : std::nullopt;
    }
    // Also a refusal may be read by a page that may come.
    route away(response answer) const {
        return {verdict_.allowed ? verdict_ : origin_verdict{true, {}}, failure{std::move(answer)}};
    }

    const request& r_;
    const api_keys& keys_;
    bool verifies_tokens_;
    origin_verdict verdict_;
};

}  // namespace

bool is_probe(std::string_view path) {
    return path == health_path || path == live_path || path == ready_path;
}

route find_route(const request& r, const config& settings, const api_keys& keys, reached how) {
    const std::string_view path = r.path;
    const finder find(r, settings, keys, how);
    if (path == "*") return whole_server();
    if (!settings.issuers.empty() && is_metadata_path(path, settings))
        return same_origin(r, {method::get, method::head}, {endpoint::resource_metadata, {}});
    // A client that asks the machine itself, past the load balancer, knows no base path.
    const bool outside = r.base.size() != settings.base_path.size();
    if (outside && !is_probe(path) && path != "/metrics") return nowhere(not_below(settings.base_path));
    if (path.empty()) return nowhere(redirect_into(r));
    if (path == "/ws") return find.to({method::get}, {endpoint::websocket, {}});
    if (path.starts_with(plain_prefix))
        return find.to(
            {method::get}, {endpoint::plain_websocket, std::string(path.substr(plain_prefix.size()))}
        );
    if (path == "/sse") {
        const endpoint to = r.verb == method::get ? endpoint::open_stream : endpoint::post_to_stream;
        return find.to({method::get, method::post}, {to, {}});
    }
    if (path == "/events") return find.to({method::get}, {endpoint::events, {}});
    if (!settings.streams.empty() && path.starts_with(streams_path)) return find.stream(settings.streams);
    if (path == "/api/cluster") return find.figures(endpoint::cluster);
    if (path.starts_with(api_prefix)) return find.api();
    if (path == health_path) return same_origin(r, {method::get, method::head}, {endpoint::health, {}});
    if (path == live_path) return same_origin(r, {method::get, method::head}, {endpoint::live, {}});
    if (path == ready_path) return same_origin(r, {method::get, method::head}, {endpoint::ready, {}});
    if (path == "/metrics") return find.figures(endpoint::metrics);
    if (settings.web_root.empty()) return nowhere(not_found());
    return same_origin(r, {method::get, method::head}, {endpoint::file, {}});
}

}  // namespace pulsewire::shell
