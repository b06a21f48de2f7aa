#pragma once

// The token that a request carries to say who its client is (docs/auth.md).

#include "server/http/request.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace pulsewire::shell {

// Browsers send it over TLS alone, to the host that set it and, being SameSite=Strict, from its own pages.
inline constexpr std::string_view token_cookie = "__Host-pulsewire";
// A browser's WebSocket can send nothing but subprotocols; the token follows.
inline constexpr std::string_view token_subprotocol = "pulsewire.token.";
// What a client may offer beside it, so that the answer need not repeat the token.
inline constexpr std::string_view plain_subprotocol = "pulsewire.plain";

// The first that there is of: the field Authorization, a subprotocol, the cookie, and with `in_query` the
// parameter "token". A cookie counts only with `cookies`, because a browser sends it with every request that
// any page makes.
std::optional<std::string> token_of(const request& r, bool cookies, bool in_query);

// The subprotocol that the answer to a handshake names for clients that offered a token so; empty: none.
std::string answered_subprotocol(const request& r);

// The value of a cookie; nothing when there is none of the name, or several.
std::optional<std::string_view> cookie_of(const request& r, std::string_view name);

}  // namespace pulsewire::shell
