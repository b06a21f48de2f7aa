#include "server/base/host_name.hpp"

#include "server/base/address.hpp"
#include "server/text.hpp"

#include <algorithm>

namespace pulsewire::shell {
namespace {

// Where the port begins, at its colon; those of an IPv6 address stand in brackets.
std::size_t colon_of(std::string_view host) {
    const std::size_t bracket = host.rfind(']');
    return host.find(':', bracket == std::string_view::npos ? 0 : bracket);
}

bool is_name_character(char c) {
    return (lower(c) >= 'a' && lower(c) <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
}

}  // namespace

std::string_view name_of_host(std::string_view host) {
    std::string_view name = host.substr(0, colon_of(host));
    if (name.size() > 1 && name.ends_with('.')) name.remove_suffix(1);
    return name;
}

std::string_view port_of_host(std::string_view host) {
    const std::size_t colon = colon_of(host);
    return colon == std::string_view::npos ? std::string_view() : host.substr(colon + 1);
}

bool is_loopback_host(std::string_view host) {
    if (const auto port = port_of_host(host); !port.empty() && !parse_number(port)) return false;
    std::string_view name = name_of_host(host);
    if (same_ignoring_case(name, "localhost")) return true;
    const bool in_brackets = name.starts_with('[') && name.ends_with(']');
    if (in_brackets) name = name.substr(1, name.size() - 2);
    const auto literal = address::parse(name);
    return literal && literal->is_loopback() && in_brackets == (name.find(':') != std::string_view::npos);
}

bool is_loopback_address(std::string_view text) {
    const auto parsed = address::parse(text);
    return text == "localhost" || (parsed && parsed->is_loopback());
}

bool matches_host(std::string_view pattern, std::string_view host) {
    if (const auto port = port_of_host(pattern); !port.empty() && port != port_of_host(host)) return false;
    std::string_view wanted = name_of_host(pattern), name = name_of_host(host);
    if (!wanted.starts_with("*.")) return !name.empty() && same_ignoring_case(wanted, name);
    wanted.remove_prefix(1);  // keeps the dot
    return name.size() > wanted.size() && name.front() != '.' &&
           std::all_of(name.begin(), name.end(), is_name_character) &&
           same_ignoring_case(name.substr(name.size() - wanted.size()), wanted);
}

bool is_host_pattern(std::string_view text) {
    const std::string_view port = port_of_host(text);
    if (text.ends_with(':') || (!port.empty() && !parse_number(port))) return false;
    std::string_view name = name_of_host(text);
    if (name.starts_with('[') && name.ends_with(']'))
        return address::parse(name.substr(1, name.size() - 2)).has_value();
    if (name.starts_with("*.")) name.remove_prefix(2);
    return !name.empty() && name.front() != '.' && std::all_of(name.begin(), name.end(), is_name_character);
}

}  // namespace pulsewire::shell
