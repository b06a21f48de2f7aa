#include "server/http/authorization.hpp"

#include "server/http/text.hpp"

#include <string>

namespace pulsewire::shell {

std::optional<std::string_view> key_of(const request& r) {
    constexpr std::string_view scheme = "Bearer ";
    if (r.count("Authorization") != 1) return std::nullopt;
    const std::string_view value = r.field("Authorization");
    if (value.size() < scheme.size() || !same_ignoring_case(value.substr(0, scheme.size()), scheme))
        return std::nullopt;
    return trimmed(value.substr(scheme.size()));
}

response unauthorized() {
    response r = error_response(
        401, error_code::unauthorized, "this needs the server's API key: send \"Authorization: Bearer <key>\""
    );
    r.add("WWW-Authenticate", "Bearer");
    return r;
}

response token_wanted(std::string_view metadata) {
    response r = error_response(
        401, error_code::unauthorized, "this needs a token: send \"Authorization: Bearer <token>\""
    );
    r.add(
        "WWW-Authenticate",
        metadata.empty() ? "Bearer" : "Bearer resource_metadata=\"" + std::string(metadata) + "\""
    );
    return r;
}

response token_refused() {
    response r = error_response(401, error_code::unauthorized, "the token is not valid here");
    r.add("WWW-Authenticate", "Bearer error=\"invalid_token\"");
    return r;
}

response keys_are_missing() {
    response r =
        error_response(503, error_code::overloaded, "tokens cannot be verified now; try again later");
    r.add("Retry-After", "1");
    return r;
}

}  // namespace pulsewire::shell
