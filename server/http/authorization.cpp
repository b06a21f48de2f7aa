#include "server/http/authorization.hpp"

#include "server/http/text.hpp"

#include <openssl/crypto.h>

namespace pulsewire::shell {

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

response unauthorized() {
    response r = error_response(
        401, error_code::unauthorized, "this needs the server's API key: send \"Authorization: Bearer <key>\""
    );
    r.add("WWW-Authenticate", "Bearer");
    return r;
}

}  // namespace pulsewire::shell
