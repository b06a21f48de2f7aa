#include "server/http/authorization.hpp"

#include "server/endpoint/http_conversation.hpp"
#include "server/http/text.hpp"

#include <openssl/crypto.h>

namespace pulsewire::shell {
namespace {

bool carries_key(const request& r, const std::string& key) {
    constexpr std::string_view scheme = "Bearer ";
    if (r.count("Authorization") != 1) return false;
    const std::string_view value = r.field("Authorization");
    if (value.size() < scheme.size() || !same_ignoring_case(value.substr(0, scheme.size()), scheme))
        return false;
    const std::string_view given = trimmed(value.substr(scheme.size()));
    // In a time that does not tell how much of a guess was right.
    return given.size() == key.size() && CRYPTO_memcmp(given.data(), key.data(), key.size()) == 0;
}

}  // namespace

bool has_api_key(const http_conversation& c) {
    const std::string& key = c.settings().api_key;
    return key.empty() || carries_key(c.asked(), key);
}

bool may_see_metrics(const http_conversation& c) {
    const std::string& key = c.settings().api_key;
    return c.owner().peer_is_this_machine() || (!key.empty() && carries_key(c.asked(), key));
}

response unauthorized() {
    response r = error_response(
        401, error_code::unauthorized, "this needs the server's API key: send \"Authorization: Bearer <key>\""
    );
    r.add("WWW-Authenticate", "Bearer");
    return r;
}

}  // namespace pulsewire::shell
