#include "server/http/forwarded.hpp"

#include "server/http/text.hpp"

#include <algorithm>
#include <optional>
#include <string_view>

namespace pulsewire::shell {
namespace {

bool is_one_of(std::span<const network> proxies, const address& a) {
    return std::any_of(proxies.begin(), proxies.end(), [&](const network& n) { return n.contains(a); });
}

// "192.0.2.1", and as some proxies write it "192.0.2.1:4711", "[2001:db8::1]" and "[2001:db8::1]:4711".
std::optional<address> read_element(std::string_view text) {
    if (const auto plain = address::parse(text)) return plain;
    std::string_view name = text.substr(0, text.starts_with('[') ? text.find(']') : text.find(':'));
    if (name.starts_with('[')) name.remove_prefix(1);
    return address::parse(name);
}

}  // namespace

address client_of(const request& r, const address& peer, std::span<const network> proxies) {
    address nearest = peer;
    if (!is_one_of(proxies, peer)) return nearest;
    // Several fields are one list, in their order (RFC 9110 5.3).
    for (auto field = r.fields.rbegin(); field != r.fields.rend(); ++field) {
        if (!same_ignoring_case(field->first, "X-Forwarded-For")) continue;
        std::string_view list = field->second;
        while (true) {
            const std::size_t comma = list.rfind(',');
            const auto element =
                read_element(trimmed(comma == std::string_view::npos ? list : list.substr(comma + 1)));
            if (!element) return nearest;
            nearest = *element;
            if (!is_one_of(proxies, nearest)) return nearest;
            if (comma == std::string_view::npos) break;
            list = list.substr(0, comma);
        }
    }
    return nearest;
}

bool is_forwarded(const request& r) {
    for (const std::string_view name : {"X-Forwarded-For", "Forwarded", "X-Real-IP", "Via"})
        if (r.count(name) > 0) return true;
    return false;
}

}  // namespace pulsewire::shell
