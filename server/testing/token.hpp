#pragma once

// Tokens of an issuer that a test's server trusts.

#include "server/config.hpp"
#include "server/identity/signing_key.hpp"

#include <nlohmann/json.hpp>

#include <chrono>
#include <cstdint>
#include <string>

namespace pulsewire::testing {

inline const std::string secret_of_issuer(48, 'k');

// Makes the server of the config ask everybody who they are.
inline config asking(config c) {
    token_issuer issuer;
    issuer.issuer = "test";
    issuer.audience = "pulsewire";
    issuer.secret = secret_of_issuer;
    c.issuers.push_back(issuer);
    return c;
}

inline std::int64_t seconds_now() {
    return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch(
                                                            ))
        .count();
}

// `allow` is JSON of patterns with operations; `own` further members of the own claim, each with a comma
// before it.
inline std::string token_for(
    const std::string& user, const std::string& allow, std::int64_t counts_for_s = 3'600,
    const std::string& own = {}
) {
    const std::string claims = R"({"iss":"test","aud":"pulsewire","sub":")" + user + R"(","iat":)" +
                               std::to_string(seconds_now()) + R"(,"exp":)" +
                               std::to_string(seconds_now() + counts_for_s) + R"(,"pulsewire":{"allow":)" +
                               allow + own + "}}";
    return identity::signing_key::from_secret(secret_of_issuer).token(nlohmann::json::parse(claims)).value();
}

}  // namespace pulsewire::testing
