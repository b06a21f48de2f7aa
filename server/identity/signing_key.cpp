#include "server/identity/signing_key.hpp"

#include "server/identity/base64url.hpp"

#include <nlohmann/json.hpp>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <utility>

namespace pulsewire::identity {
namespace {

using nlohmann::json;

// OpenSSL's DER as the two numbers that JWS wants, each as long as a coordinate.
std::optional<std::string> joined_numbers(const std::string& der, std::size_t coordinate_bytes) {
    const unsigned char* at = bytes_of(der.data());
    const ecdsa_signature_ptr pair(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())));
    std::string joined(2 * coordinate_bytes, '\0');
    auto* into = reinterpret_cast<unsigned char*>(joined.data());
    const auto size = static_cast<int>(coordinate_bytes);
    if (!pair || BN_bn2binpad(ECDSA_SIG_get0_r(pair.get()), into, size) != size ||
        BN_bn2binpad(ECDSA_SIG_get0_s(pair.get()), into + size, size) != size)
        return std::nullopt;
    return joined;
}

std::optional<std::string> hmac(const char* digest, std::string_view secret, std::string_view text) {
    std::string mac(EVP_MAX_MD_SIZE, '\0');
    std::size_t size = 0;
    const auto* made = EVP_Q_mac(
        nullptr, "HMAC", nullptr, digest, nullptr, secret.data(), secret.size(), bytes_of(text.data()),
        text.size(), reinterpret_cast<unsigned char*>(mac.data()), mac.size(), &size
    );
    if (made == nullptr) return std::nullopt;
    mac.resize(size);
    return mac;
}

bool fits(const EVP_PKEY* key, family kind) {
    switch (kind) {
        case family::rsa:
        case family::rsa_pss:
            return EVP_PKEY_is_a(key, "RSA") == 1;
        case family::ecdsa:
            return EVP_PKEY_is_a(key, "EC") == 1;
        case family::eddsa:
            return EVP_PKEY_is_a(key, "ED25519") == 1;
        case family::hmac:
            return false;
    }
    return false;
}

}  // namespace

signing_key signing_key::from_secret(std::string secret, std::string id) {
    signing_key made;
    made.secret_ = std::move(secret);
    made.id_ = std::move(id);
    return made;
}

result<signing_key, std::string> signing_key::from_pem(std::string_view text, std::string id) {
    const bio_ptr bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
    // Without this OpenSSL would ask for a password on the terminal.
    const auto no_password = [](char*, int, int, void*) { return 0; };
    pkey_ptr loaded(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_password, nullptr));
    ERR_clear_error();
    if (!loaded)
        return failure{std::string("has no private key in PEM form that can be read without a password")};
    auto made = from_private(std::move(loaded));
    if (made) made->id_ = std::move(id);
    return made;
}

result<signing_key, std::string> signing_key::from_private(pkey_ptr loaded) {
    signing_key made;
    made.pair_ = std::move(loaded);
    const EVP_PKEY* const pair = made.pair_.get();
    if (fits(pair, family::rsa)) {
        made.usual_ = algorithm::rs256;
    } else if (fits(pair, family::eddsa)) {
        made.usual_ = algorithm::eddsa;
    } else if (fits(pair, family::ecdsa)) {
        const int bits = EVP_PKEY_get_bits(pair);
        made.usual_ = bits == 256 ? algorithm::es256 : bits == 384 ? algorithm::es384 : algorithm::es512;
    } else {
        return failure{std::string("is of a kind that is not supported: there are RSA, EC and Ed25519")};
    }
    return made;
}

std::optional<std::string> signing_key::sign(algorithm a, std::string_view text) const {
    const algorithm_facts& facts = facts_of(a);
    if (!pair_) return facts.kind == family::hmac ? hmac(facts.digest, secret_, text) : std::nullopt;
    if (!fits(pair_.get(), facts.kind)) return std::nullopt;
    const digest_ptr digest(facts.digest != nullptr ? EVP_MD_fetch(nullptr, facts.digest, nullptr) : nullptr);
    const digest_context_ptr context(EVP_MD_CTX_new());
    EVP_PKEY_CTX* options = nullptr;  // of the context
    bool ready = EVP_DigestSignInit(context.get(), &options, digest.get(), nullptr, pair_.get()) == 1;
    if (ready && facts.kind == family::rsa_pss)
        ready = EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) == 1 &&
                EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST) == 1;
    std::size_t size = static_cast<std::size_t>(std::max(0, EVP_PKEY_get_size(pair_.get())));
    std::string signature(size, '\0');
    if (!ready || EVP_DigestSign(
                      context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                      bytes_of(text.data()), text.size()
                  ) != 1)
        return std::nullopt;
    signature.resize(size);
    return facts.kind == family::ecdsa ? joined_numbers(signature, facts.size) : signature;
}

std::optional<std::string> signing_key::token(const json& claims, json header) const {
    if (!header.contains("alg")) header["alg"] = std::string(facts_of(usual_).name);
    if (!id_.empty() && !header.contains("kid")) header["kid"] = id_;
    const auto named = algorithm_named(header["alg"].get<std::string>());
    const std::string text = to_base64url(header.dump()) + "." + to_base64url(claims.dump());
    const auto signature = named ? sign(*named, text) : std::nullopt;
    if (!signature) return std::nullopt;
    return text + "." + to_base64url(*signature);
}

std::optional<std::string> signing_key::token(const json& claims) const {
    return token(claims, {{"typ", "JWT"}});
}

}  // namespace pulsewire::identity
