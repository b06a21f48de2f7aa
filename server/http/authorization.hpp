#pragma once

// The API key or token in a request (protocol 11.5), and the answers where it is missing.

#include "server/http/request.hpp"
#include "server/http/response.hpp"

#include <optional>
#include <string_view>

namespace pulsewire::shell {

// The key that the request carries as "Authorization: Bearer <key>"; nothing when there is none, or when two
// fields leave to each reader which one counts.
std::optional<std::string_view> key_of(const request& r);

// The answer to a request without it.
response unauthorized();

// The answers to clients without a token, with one that proves nothing, and with one that cannot be verified
// now (RFC 6750 3). Never the reason: that is for the log. `metadata` is where a client learns whom to ask
// for a token (RFC 9728 5.1); empty: left out.
response token_wanted(std::string_view metadata = {});
response token_refused();
response keys_are_missing();

}  // namespace pulsewire::shell
