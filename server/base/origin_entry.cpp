#include "server/base/origin_entry.hpp"

#include "server/base/host_name.hpp"
#include "server/text.hpp"

#include <algorithm>

namespace pulsewire::shell {

std::string fault_of_origin(std::string_view entry) {
    if (entry == "*" || entry == "null") return {};
    const std::size_t mark = entry.find("://");
    if (mark == std::string_view::npos || mark == 0)
        return "it has no scheme: write https://" + std::string(entry);
    const std::string_view scheme = entry.substr(0, mark), host = entry.substr(mark + 3);
    if (same_ignoring_case(scheme, "ws") || same_ignoring_case(scheme, "wss"))
        return "it is the address of a WebSocket, not of a page: write http" + std::string(scheme.substr(2)) +
               "://" + std::string(host);
    const auto in_scheme = [](char c) {
        return (lower(c) >= 'a' && lower(c) <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '-' ||
               c == '.';
    };
    if (!std::all_of(scheme.begin(), scheme.end(), in_scheme)) return "its scheme is none";
    if (same_ignoring_case(scheme, "file")) return "pages of files have the origin \"null\"";
    if (const std::size_t end = host.find_first_of("/?#"); end != std::string_view::npos && end > 0)
        return "it has a path: write " + std::string(entry.substr(0, mark + 3 + end));
    if (host.find('@') != std::string_view::npos) return "it has the name of a user";
    if (std::any_of(host.begin(), host.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; }))
        return "browsers send names of other alphabets in their ASCII form, xn--...";
    if (const std::string_view port = port_of_host(host); !port.empty()) {
        const auto number = parse_number(port);
        if (!number || *number == 0 || *number > 65'535 || port.front() == '0') return "its port is none";
    }
    if (!is_host_pattern(host))
        return host.find('*') == std::string_view::npos
                   ? "its host is none"
                   : "a * stands only before the first dot of the host, for every name below it";
    return {};
}

}  // namespace pulsewire::shell
