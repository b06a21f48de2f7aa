#include "server/http/origin.hpp"

#include "server/base/host_name.hpp"
#include "server/http/text.hpp"

#include <algorithm>

namespace pulsewire::shell {
namespace {

// "example.com" of "example.com:443" where that port goes without saying.
std::string_view without_default_port(std::string_view host, std::string_view scheme) {
    const std::string_view port = same_ignoring_case(scheme, "https")  ? ":443"
                                  : same_ignoring_case(scheme, "http") ? ":80"
                                                                       : "";
    if (host.ends_with(port)) host.remove_suffix(port.size());
    return host;
}

bool is_own_page(std::string_view origin, std::string_view host, reached how) {
    for (const std::string_view scheme : {std::string_view("http"), std::string_view("https")}) {
        if (how == reached::over_tls && scheme == "http") continue;
        if (!origin.starts_with(scheme) || !origin.substr(scheme.size()).starts_with("://")) continue;
        const std::string_view authority = origin.substr(scheme.size() + 3);
        return !authority.empty() &&
               same_ignoring_case(
                   without_default_port(authority, scheme), without_default_port(host, scheme)
               );
    }
    return false;
}

// Whether an entry of allowed_origins means this page.
bool means(std::string_view listed, std::string_view origin) {
    if (listed == "*" || same_ignoring_case(listed, origin)) return true;
    constexpr std::string_view mark = "://";
    const std::size_t end = listed.find(mark), origin_end = origin.find(mark);
    if (end == std::string_view::npos || origin_end == std::string_view::npos) return false;
    const std::string_view scheme = listed.substr(0, end);
    if (!same_ignoring_case(scheme, origin.substr(0, origin_end))) return false;
    const auto wanted = without_default_port(listed.substr(end + mark.size()), scheme);
    const auto host = without_default_port(origin.substr(origin_end + mark.size()), scheme);
    // The page's port is part of its origin, so a pattern without one means the default port alone.
    return port_of_host(wanted) == port_of_host(host) && matches_host(wanted, host);
}

// A page that this machine itself serves, to a browser that runs here, too.
bool is_neighbour(std::string_view origin, std::string_view host) {
    constexpr std::string_view plain = "http://", secure = "https://";
    const bool over_tls = origin.starts_with(secure);
    return (over_tls || origin.starts_with(plain)) &&
           is_loopback_host(origin.substr((over_tls ? secure : plain).size())) && is_loopback_host(host);
}

// Browsers say of each request how its page and this server relate. Only "same-origin" and "none", which is
// the address bar, are no page of another origin.
bool comes_from_another_site(const request& r) {
    return std::any_of(r.fields.begin(), r.fields.end(), [](const auto& field) {
        return same_ignoring_case(field.first, "Sec-Fetch-Site") && field.second != "same-origin" &&
               field.second != "none";
    });
}

}  // namespace

origin_verdict check_origin(
    const request& r, const std::vector<std::string>& allowed_origins, reached how, neighbours others
) {
    const std::size_t origins = r.count("Origin");
    if (origins == 0) {
        const bool all =
            std::find(allowed_origins.begin(), allowed_origins.end(), "*") != allowed_origins.end();
        return {all || !comes_from_another_site(r), {}};
    }
    if (origins > 1) return {};
    const std::string_view origin = r.field("Origin");
    if (is_own_page(origin, r.field("Host"), how)) return {true, {}};
    const bool listed =
        std::any_of(allowed_origins.begin(), allowed_origins.end(), [&](const std::string& one) {
            return means(one, origin);
        });
    const bool taken = listed || (others == neighbours::allowed && is_neighbour(origin, r.field("Host")));
    if (!taken) return {};
    return {true, std::string(origin)};
}

bool lacks_port(const request& r) {
    if (r.count("Origin") != 1) return false;
    const std::string_view origin = r.field("Origin"), host = r.field("Host");
    const std::size_t scheme = origin.find("://");
    if (scheme == std::string_view::npos || host.empty()) return false;
    const std::string_view authority = origin.substr(scheme + 3);
    return port_of_host(host).empty() && !port_of_host(authority).empty() &&
           same_ignoring_case(name_of_host(authority), name_of_host(host));
}

response origin_refused(const request& r) {
    response refused = error_response(
        403, error_code::forbidden,
        lacks_port(r)
            ? "a proxy in front of this server leaves the port out of the field Host, so that its own "
              "pages look like another's: nginx needs proxy_set_header Host $http_host"
            : "pages of this origin may not use this server; the operator can list it with "
              "--allow-origin (allowed_origins)"
    );
    make_readable(refused);
    return refused;
}

void make_readable(response& r) {
    r.add("Access-Control-Allow-Origin", "*");
}

response preflight(std::string_view methods) {
    response r;
    r.status = 204;
    r.add("Access-Control-Allow-Methods", std::string(methods));
    r.add(
        "Access-Control-Allow-Headers",
        "Content-Type, Authorization, Pulsewire-Connection, Last-Event-ID, Cache-Control, Pragma, "
        // Frameworks and tracers add these to every request of a page.
        "X-Requested-With, X-Request-ID, X-Correlation-ID, Traceparent, Tracestate, Baggage, Sentry-Trace"
    );
    r.add("Access-Control-Max-Age", "600");
    return r;
}

}  // namespace pulsewire::shell
