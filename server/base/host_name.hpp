#pragma once

// Hosts as URLs and the field Host write them: "example.com:8080", "[::1]".

#include <string_view>

namespace pulsewire::shell {

// "example.com" of "example.com:8080", "[::1]" of "[::1]:80"; a last dot, which says that the name is whole,
// is left out.
std::string_view name_of_host(std::string_view host);
// "8080"; empty where there is none.
std::string_view port_of_host(std::string_view host);

// Whether only this machine can be meant: "localhost" and the loopback addresses, with any port. A name that
// merely begins or ends like one ("127.0.0.1.example.com") is none.
bool is_loopback_host(std::string_view host);
// Whether an address that a server is told to listen on is one of loopback.
bool is_loopback_address(std::string_view text);

// Whether `host` is what the pattern says: a host, or "*." and a domain, which stands for every name below it
// and not for the domain itself. A pattern without a port means every port.
bool matches_host(std::string_view pattern, std::string_view host);
// Whether a text is such a pattern.
bool is_host_pattern(std::string_view text);

}  // namespace pulsewire::shell
