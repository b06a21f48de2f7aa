#include "server/http/resource_metadata.hpp"

#include "common/protocol/line_writer.hpp"
#include "server/base/host_name.hpp"

namespace pulsewire::shell {
namespace {

// "https://rt.example.com". A proxy that speaks TLS in front of us does not always say so; everywhere but on
// this machine there has to be one, because tokens are shown.
std::string origin_of(const request& r, reached how) {
    const std::string_view host = r.field("Host");
    if (!is_host_pattern(host) || host.starts_with('*')) return {};
    const bool plain = how == reached::somehow && is_loopback_host(host);
    return (plain ? "http://" : "https://") + std::string(host);
}

std::string list_of(const std::vector<token_issuer>& issuers) {
    std::string list;
    for (const token_issuer& one : issuers) {
        // Others are names of backends, from which nobody but their own pages gets a token.
        if (!one.issuer.starts_with("https://")) continue;
        list += list.empty() ? "\"" : ",\"";
        append_escaped(list, one.issuer);
        list += '"';
    }
    return list;
}

}  // namespace

bool is_metadata_path(std::string_view path, const config& settings) {
    if (!path.starts_with(metadata_path)) return false;
    path.remove_prefix(metadata_path.size());
    return path.empty() || path == settings.base_path;
}

std::string metadata_address(const request& r, const config& settings, reached how) {
    const std::string origin = origin_of(r, how);
    return origin.empty() ? "" : origin + std::string(metadata_path) + settings.base_path;
}

response resource_metadata(const request& r, const config& settings, reached how) {
    const std::string origin = origin_of(r, how);
    if (origin.empty()) return not_found();
    response answer;
    make_readable(answer);
    line_writer json(answer.body);
    json.text("resource", origin + settings.base_path);
    if (const std::string issuers = list_of(settings.issuers); !issuers.empty())
        answer.body.append(",\"authorization_servers\":[").append(issuers).append("]");
    answer.body.append(",\"bearer_methods_supported\":[\"header\"")
        .append(settings.token_in_query ? ",\"query\"" : "")
        .append("]");
    json.end();
    answer.body += '\n';
    answer.add("Cache-Control", "max-age=3600");
    return answer;
}

}  // namespace pulsewire::shell
