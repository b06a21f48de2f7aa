#pragma once

// Keys and tokens for the tests of this folder.

#include "server/identity/base64url.hpp"
#include "server/identity/signing_key.hpp"
#include "server/identity/token_verifier.hpp"

#include <nlohmann/json.hpp>
#include <openssl/core_names.h>
#include <openssl/pem.h>

#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace pulsewire::identity {

inline constexpr std::int64_t test_now_ms = 1'764'000'000'000;
inline constexpr const char* test_secret = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

inline token_issuer test_issuer() {
    token_issuer one;
    one.issuer = "https://login.example.com";
    one.audience = "rt.example.com";
    return one;
}

inline token_issuer issuer_with_secret(std::string secret = test_secret) {
    token_issuer one = test_issuer();
    one.secret = std::move(secret);
    return one;
}

// Good claims, an hour long, with other members on top; null takes one away.
inline nlohmann::json test_claims(const nlohmann::json& others = nlohmann::json::object()) {
    nlohmann::json claims = {
        {"iss", test_issuer().issuer},
        {"aud", test_issuer().audience},
        {"sub", "anna"},
        {"exp", test_now_ms / 1000 + 3600}};
    claims.merge_patch(others);
    return claims;
}

inline std::string token_of(const nlohmann::json& others = nlohmann::json::object()) {
    return *signing_key::from_secret(test_secret).token(test_claims(others));
}

// The name of the fault, "unknown key", or the user who was accepted.
inline std::string told(const outcome& o) {
    if (const auto* no = std::get_if<refused>(&o)) return std::string(name_of(no->fault));
    if (std::holds_alternative<unknown_key>(o)) return "unknown key";
    return "user " + std::get<accepted>(o).who->user;
}
inline std::string why(const outcome& o) {
    const auto* no = std::get_if<refused>(&o);
    return no != nullptr ? no->why : "";
}

inline signing_key new_rsa(std::size_t bits = 2048) {
    return signing_key::from_private(pkey_ptr(EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", bits))).value();
}
inline signing_key new_ec(const char* curve) {
    return signing_key::from_private(pkey_ptr(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", curve))).value();
}
inline signing_key new_ed25519() {
    return signing_key::from_private(pkey_ptr(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"))).value();
}

inline std::string public_pem(const signing_key& k) {
    const bio_ptr bio(BIO_new(BIO_s_mem()));
    PEM_write_bio_PUBKEY(bio.get(), const_cast<EVP_PKEY*>(k.pair()));
    char* text = nullptr;
    const long size = BIO_get_mem_data(bio.get(), &text);
    return {text, static_cast<std::size_t>(size)};
}

inline std::string number_of(const signing_key& k, const char* name, int bytes = 0) {
    BIGNUM* read = nullptr;
    EVP_PKEY_get_bn_param(k.pair(), name, &read);
    const number_ptr number(read);
    std::string out(static_cast<std::size_t>(bytes == 0 ? BN_num_bytes(number.get()) : bytes), '\0');
    BN_bn2binpad(number.get(), reinterpret_cast<unsigned char*>(out.data()), static_cast<int>(out.size()));
    return to_base64url(out);
}

// The public half as a JWK without "alg".
inline nlohmann::json public_jwk(const signing_key& k, std::string_view id) {
    nlohmann::json jwk = {{"kid", std::string(id)}, {"use", "sig"}};
    if (k.usual() == algorithm::rs256) {
        jwk["kty"] = "RSA";
        jwk["n"] = number_of(k, OSSL_PKEY_PARAM_RSA_N);
        jwk["e"] = number_of(k, OSSL_PKEY_PARAM_RSA_E);
    } else if (k.usual() == algorithm::eddsa) {
        std::string raw(32, '\0');
        std::size_t size = raw.size();
        EVP_PKEY_get_raw_public_key(k.pair(), reinterpret_cast<unsigned char*>(raw.data()), &size);
        jwk.update({{"kty", "OKP"}, {"crv", "Ed25519"}, {"x", to_base64url(raw)}});
    } else {
        const auto bytes = static_cast<int>(facts_of(k.usual()).size);
        const char* crv = bytes == 32 ? "P-256" : bytes == 48 ? "P-384" : "P-521";
        jwk.update({{"kty", "EC"}, {"crv", crv}});
        jwk["x"] = number_of(k, OSSL_PKEY_PARAM_EC_PUB_X, bytes);
        jwk["y"] = number_of(k, OSSL_PKEY_PARAM_EC_PUB_Y, bytes);
    }
    return jwk;
}

}  // namespace pulsewire::identity
