#include "server/endpoint/router.hpp"

#include "common/protocol/names.hpp"
#include "server/endpoint/endpoints.hpp"
#include "server/endpoint/http_conversation.hpp"
#include "server/http/authorization.hpp"
#include "server/http/text.hpp"
#include "server/shard/node.hpp"
#include "server/shard/shard.hpp"

#include <initializer_list>

namespace pulsewire::shell {
namespace {

constexpr std::string_view plain_prefix = "/ws/plain/";
constexpr std::string_view api_prefix = "/api/";
constexpr std::string_view channels_prefix = "/api/channels/";

std::string_view name_of(method m) {
    switch (m) {
        case method::get:
            return "GET";
        case method::head:
            return "HEAD";
        case method::post:
            return "POST";
        case method::options:
            return "OPTIONS";
        case method::other:
            return "";
    }
    return "";
}

// True when the request may go on; otherwise it is answered: pages that may not come, preflights, wrong
// methods.
bool admitted(http_conversation& c, std::initializer_list<method> methods) {
    const auto how = c.own_node().has_tls() ? reached::over_tls : reached::somehow;
    const origin_verdict verdict = check_origin(c.asked(), c.settings().allowed_origins, how);
    if (!verdict.allowed) {
        c.answer(origin_refused());
        return false;
    }
    c.allow_origin(verdict);
    std::string allowed;
    for (const method m : methods) {
        if (m == c.asked().verb) return true;
        allowed += (allowed.empty() ? "" : ", ") + std::string(name_of(m));
    }
    allowed += ", OPTIONS";
    if (c.asked().verb == method::options) {
        response r = preflight(allowed);
        r.add("Allow", allowed);
        c.answer(std::move(r));
    } else {
        c.answer(wrong_method(allowed));
    }
    return false;
}

// Where no key is configured the API is open.
bool has_api_key(const http_conversation& c) {
    const std::string& key = c.settings().api_key;
    return key.empty() || carries_key(c.asked(), key);
}

// Metrics are for this machine, and for whoever has the API key.
bool may_see_metrics(const http_conversation& c) {
    const std::string& key = c.settings().api_key;
    return c.owner().peer_is_this_machine() || (!key.empty() && carries_key(c.asked(), key));
}

void healthz(http_conversation& c) {
    if (c.asked().verb != method::get && c.asked().verb != method::head)
        return c.answer(wrong_method("GET, HEAD"));
    response r;
    const bool leaving = c.own_shard().draining() || c.own_node().announced_drain();
    r.status = leaving ? 503 : 200;
    r.content_type = "text/plain; charset=utf-8";
    r.body = leaving ? "draining\n" : "ok\n";
    r.add("Cache-Control", "no-store");
    c.answer(std::move(r));
}

void metrics(http_conversation& c) {
    if (c.asked().verb != method::get) return c.answer(wrong_method("GET"));
    if (!may_see_metrics(c)) return c.answer(unauthorized());
    show_metrics(c);
}

// A channel's name out of a path; nothing when it is not one, after which the request is answered.
std::optional<std::string> channel_named(http_conversation& c, std::string_view encoded) {
    auto name = decode_percent(encoded);
    if (name && is_channel(*name)) return name;
    c.answer(error_response(
        400, error_code::invalid_channel,
        "the channel in the path must have 1 to 255 characters out of A-Z a-z 0-9 _ - . : / @ ~ = + $ !"
    ));
    return std::nullopt;
}

void api(http_conversation& c) {
    std::string_view rest = c.asked().path;
    if (!rest.starts_with(channels_prefix)) return c.answer(not_found());
    rest.remove_prefix(channels_prefix.size());
    const std::size_t slash = rest.rfind('/');
    const std::string_view what =
        slash == std::string_view::npos ? std::string_view() : rest.substr(slash + 1);
    if (what != "messages" && what != "presence") return c.answer(not_found());
    const bool admits =
        what == "messages" ? admitted(c, {method::get, method::post}) : admitted(c, {method::get});
    if (!admits) return;
    if (!has_api_key(c)) return c.answer(unauthorized());
    auto channel = channel_named(c, rest.substr(0, slash));
    if (!channel) return;
    if (what == "presence") return api_presence(c, std::move(*channel));
    if (c.asked().verb == method::post) return api_publish(c, std::move(*channel));
    return api_history(c, std::move(*channel));
}

void files(http_conversation& c) {
    const std::string& root = c.settings().web_root;
    if (root.empty()) return c.answer(not_found());
    if (c.asked().verb != method::get && c.asked().verb != method::head)
        return c.answer(wrong_method("GET, HEAD"));
    found_file found = find_static_file(root, c.asked(), c.settings().drain_url);
    if (found.file) return c.answer_with_file(std::move(*found.file));
    c.answer(std::move(found.other));
}

}  // namespace

void route(http_conversation& c) {
    const std::string_view path = c.asked().path;
    if (path == "/ws") {
        if (admitted(c, {method::get})) open_websocket(c);
    } else if (path.starts_with(plain_prefix)) {
        if (admitted(c, {method::get})) open_plain_websocket(c, path.substr(plain_prefix.size()));
    } else if (path == "/sse") {
        if (!admitted(c, {method::get, method::post})) return;
        c.asked().verb == method::get ? open_stream(c) : post_to_stream(c);
    } else if (path == "/events") {
        if (admitted(c, {method::get})) open_events(c);
    } else if (path.starts_with(api_prefix)) {
        api(c);
    } else if (path == "/healthz") {
        healthz(c);
    } else if (path == "/metrics") {
        metrics(c);
    } else {
        files(c);
    }
}

}  // namespace pulsewire::shell
