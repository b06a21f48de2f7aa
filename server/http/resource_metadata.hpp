#pragma once

// The metadata of RFC 9728: a program that is refused for want of a token learns from it whom to ask for one.

#include "server/config.hpp"
#include "server/http/origin.hpp"
#include "server/http/request.hpp"
#include "server/http/response.hpp"

#include <string>
#include <string_view>

namespace pulsewire::shell {

// Behind it may stand the base path (RFC 9728 3.1).
inline constexpr std::string_view metadata_path = "/.well-known/oauth-protected-resource";

// Whether a request for this path, as the client wrote it, asks for the metadata.
bool is_metadata_path(std::string_view path, const config& settings);

// Where the metadata of this server is, for the field WWW-Authenticate; empty when the name by which the
// client calls the server cannot stand in a URL.
std::string metadata_address(const request& r, const config& settings, reached how);

response resource_metadata(const request& r, const config& settings, reached how);

}  // namespace pulsewire::shell
