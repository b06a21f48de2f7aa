#pragma once

#include <string>

namespace pulsewire {

// Somebody who makes tokens for this server's users: an identity provider, or the application's own backend.
// The keys of all sources count together, so a key is rotated by naming the next one beside it.
struct token_issuer {
    // "iss" and "aud" of every token, exactly. Both are mandatory.
    std::string issuer;
    std::string audience;
    // A secret of 32 bytes or more that the issuer and this server share (HS256; from 48 bytes also HS384,
    // from 64 HS512), or a JWK or JWKS of such secrets.
    std::string secret;
    // A file of such secrets, one a line, or a JWK or JWKS of them.
    std::string secret_file;
    // A file of public keys: PEM (keys or certificates), JWK or JWKS.
    std::string key_file;
    // The https address of the issuer's JWKS.
    std::string jwks_url;
    // The claim that names the user.
    std::string user_claim = "sub";

    friend bool operator==(const token_issuer&, const token_issuer&) = default;
};

}  // namespace pulsewire
