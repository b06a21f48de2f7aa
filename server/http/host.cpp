#include "server/http/host.hpp"

#include "server/base/host_name.hpp"
#include "server/http/origin.hpp"

#include <algorithm>

namespace pulsewire::shell {

bool names_this_server(
    const request& r, const std::vector<std::string>& allowed_hosts, std::string_view listens_on
) {
    if (r.http_1_0 && r.count("Host") == 0) return true;
    const std::string_view host = r.field("Host");
    if (is_loopback_host(host)) return true;
    if (allowed_hosts.empty()) return !is_loopback_address(listens_on);
    return std::any_of(allowed_hosts.begin(), allowed_hosts.end(), [&](const std::string& one) {
        return one == "*" || matches_host(one, host);
    });
}

response host_refused() {
    response r = error_response(
        421, error_code::forbidden,
        "this server is not known by the name in the field Host; the operator can list it in allowed_hosts"
    );
    make_readable(r);
    return r;
}

}  // namespace pulsewire::shell
