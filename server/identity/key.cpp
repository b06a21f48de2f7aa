#include "server/identity/key.hpp"

#include "server/identity/base64url.hpp"
#include "server/identity/strict_json.hpp"
#include "server/log.hpp"

#include <nlohmann/json.hpp>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

namespace pulsewire::identity {
namespace {

using nlohmann::json;
using text_fault = failure<std::string>;

struct curve {
    std::string_view name;  // in a JWK
    const char* group;      // at OpenSSL
    algorithm is;
};
constexpr curve curves[] = {
    {"P-256", "prime256v1", algorithm::es256},
    {"P-384", "secp384r1", algorithm::es384},
    {"P-521", "secp521r1", algorithm::es512},
};

constexpr std::size_t ed25519_bytes = 32;
constexpr const char* private_members[] = {"d", "p", "q", "dp", "dq", "qi", "oth"};

// Looked up once: OpenSSL takes a lock for every look-up.
const EVP_MD* digest_of(algorithm a) {
    static const auto fetched = [] {
        std::array<digest_ptr, algorithms.size()> all;
        for (std::size_t i = 0; i < all.size(); ++i)
            if (algorithms[i].digest != nullptr)
                all[i].reset(EVP_MD_fetch(nullptr, algorithms[i].digest, nullptr));
        return all;
    }();
    return fetched[static_cast<std::size_t>(a)].get();
}

mac_context_ptr keyed_hmac(algorithm a, std::string_view secret) {
    static const mac_ptr hmac(EVP_MAC_fetch(nullptr, "HMAC", nullptr));
    mac_context_ptr context(EVP_MAC_CTX_new(hmac.get()));
    std::string digest = facts_of(a).digest;
    const OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest.data(), 0),
        OSSL_PARAM_construct_end()};
    if (EVP_MAC_init(context.get(), bytes_of(secret.data()), secret.size(), parameters) != 1) return nullptr;
    return context;
}

// A number of a JWK (RFC 7518 section 2): big-endian, not empty, no zero byte before it.
number_ptr number_member(const json& jwk, const char* name) {
    const std::string* text = string_member(jwk, name);
    const auto bytes = text != nullptr ? from_base64url(*text) : std::nullopt;
    if (!bytes || bytes->empty() || bytes->front() == '\0') return nullptr;
    return number_ptr(BN_bin2bn(bytes_of(bytes->data()), static_cast<int>(bytes->size()), nullptr));
}

pkey_ptr public_key_of(const char* type, OSSL_PARAM_BLD* builder) {
    const parameters_ptr parameters(OSSL_PARAM_BLD_to_param(builder));
    const pkey_context_ptr context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
    EVP_PKEY* made = nullptr;
    if (EVP_PKEY_fromdata_init(context.get()) == 1)
        (void)EVP_PKEY_fromdata(context.get(), &made, EVP_PKEY_PUBLIC_KEY, parameters.get());
    pkey_ptr owned(made);
    ERR_clear_error();
    return owned;
}

pkey_ptr rsa_of(const json& jwk) {
    const number_ptr n = number_member(jwk, "n"), e = number_member(jwk, "e");
    if (!n || !e) return nullptr;
    const parameter_builder_ptr builder(OSSL_PARAM_BLD_new());
    OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get());
    OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get());
    return public_key_of("RSA", builder.get());
}

// OpenSSL checks that the point is on the curve.
pkey_ptr ec_of(const json& jwk, const curve& on) {
    std::string point(1, '\4');  // uncompressed
    for (const char* name : {"x", "y"}) {
        const std::string* text = string_member(jwk, name);
        const auto bytes = text != nullptr ? from_base64url(*text) : std::nullopt;
        if (!bytes || bytes->size() != facts_of(on.is).size) return nullptr;
        point += *bytes;
    }
    const parameter_builder_ptr builder(OSSL_PARAM_BLD_new());
    OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, on.group, 0);
    OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size());
    return public_key_of("EC", builder.get());
}

pkey_ptr ed25519_of(const json& jwk) {
    const std::string* text = string_member(jwk, "x");
    const auto bytes = text != nullptr ? from_base64url(*text) : std::nullopt;
    if (!bytes || bytes->size() != ed25519_bytes) return nullptr;
    return pkey_ptr(
        EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, bytes_of(bytes->data()), bytes->size())
    );
}

// Empty when signatures may be checked with the key.
std::string fault_of_purpose(const json& jwk) {
    if (const auto use = jwk.find("use"); use != jwk.end() && *use != "sig")
        return "is not for signatures: its \"use\" is not \"sig\"";
    const auto operations = jwk.find("key_ops");
    if (operations == jwk.end()) return {};
    const bool for_verifying =
        operations->is_array() &&
        std::find(operations->begin(), operations->end(), "verify") != operations->end();
    return for_verifying ? "" : "is not for checking signatures: its \"key_ops\" have no \"verify\"";
}

// Whether the modulus has the form of CVE-2017-15361 (ROCA): modulo each small prime it is a power of 65537.
// Anybody can find the private key of such a one. Other keys have that form once in some 2^30.
bool is_roca(const EVP_PKEY* rsa) {
    BIGNUM* read = nullptr;
    (void)EVP_PKEY_get_bn_param(rsa, OSSL_PKEY_PARAM_RSA_N, &read);
    const number_ptr n(read);
    constexpr unsigned primes[] = {3,   5,   7,   11,  13,  17,  19,  23,  29,  31,  37,  41,  43,
                                   47,  53,  59,  61,  67,  71,  73,  79,  83,  89,  97,  101, 103,
                                   107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167};
    return n && std::all_of(std::begin(primes), std::end(primes), [&](unsigned prime) {
               const BN_ULONG rest = BN_mod_word(n.get(), prime);
               unsigned power = 1;
               do {
                   if (power == rest) return true;
                   power = power * (65'537 % prime) % prime;
               } while (power != 1);
               return false;
           });
}

std::string fault_of_rsa(const EVP_PKEY* rsa) {
    const int bits = EVP_PKEY_get_bits(rsa);
    if (bits < rsa_bits_min || bits > rsa_bits_max)
        return "is an RSA key of " + std::to_string(bits) + " bits, and must have from " +
               std::to_string(rsa_bits_min) + " to " + std::to_string(rsa_bits_max);
    BIGNUM* read = nullptr;
    (void)EVP_PKEY_get_bn_param(rsa, OSSL_PKEY_PARAM_RSA_E, &read);
    const number_ptr e(read);
    constexpr int exponent_bits_max = 64;
    if (!e || !BN_is_odd(e.get()) || BN_is_one(e.get()) || BN_num_bits(e.get()) > exponent_bits_max)
        return "is an RSA key with an exponent that is no odd number from 3 to 2^64";
    if (is_roca(rsa)) return "is an RSA key of a faulty generator (ROCA): anybody can find its private half";
    return {};
}

// JWS has the two numbers of an ECDSA signature one after the other, each as long as a coordinate; OpenSSL
// wants them in DER.
std::string der_of(std::string_view signature, std::size_t coordinate_bytes) {
    if (signature.size() != 2 * coordinate_bytes) return {};
    const auto* bytes = bytes_of(signature.data());
    const auto size = static_cast<int>(coordinate_bytes);
    const ecdsa_signature_ptr pair(ECDSA_SIG_new());
    ECDSA_SIG_set0(pair.get(), BN_bin2bn(bytes, size, nullptr), BN_bin2bn(bytes + size, size, nullptr));
    std::string der(static_cast<std::size_t>(std::max(0, i2d_ECDSA_SIG(pair.get(), nullptr))), '\0');
    auto* into = reinterpret_cast<unsigned char*>(der.data());
    i2d_ECDSA_SIG(pair.get(), &into);
    return der;
}

}  // namespace

result<key, std::string> key::from_jwk(const json& jwk) {
    if (!jwk.is_object()) return text_fault{"is no JSON object"};
    if (std::string fault = fault_of_purpose(jwk); !fault.empty()) return text_fault{std::move(fault)};
    const std::string* kty = string_member(jwk, "kty");
    const std::string* id = string_member(jwk, "kid");
    const std::string* crv = string_member(jwk, "crv");
    if (kty == nullptr) return text_fault{"has no \"kty\""};
    if (jwk.contains("kid") && id == nullptr) return text_fault{"has a \"kid\" that is no string"};
    if (jwk.contains("alg") && string_member(jwk, "alg") == nullptr)
        return text_fault{"has an \"alg\" that is no string"};

    result<key, std::string> made =
        text_fault{"is of the kind \"" + log::printable(*kty) + "\", which is not supported"};
    if (*kty == "oct") {
        const std::string* text = string_member(jwk, "k");
        const auto secret = text != nullptr ? from_base64url(*text) : std::nullopt;
        if (!secret) return text_fault{"has no \"k\" in base64url without padding"};
        made = from_secret(*secret);
    } else {
        for (const char* name : private_members)
            if (jwk.contains(name))
                return text_fault{
                    "has a private part (\"" + std::string(name) +
                    "\"): whoever reads it can make tokens. Take the public key alone, and replace this one "
                    "where others could have read it"};
        pkey_ptr loaded;
        if (*kty == "RSA") {
            loaded = rsa_of(jwk);
        } else if (*kty == "EC") {
            const auto on = std::find_if(std::begin(curves), std::end(curves), [&](const curve& c) {
                return crv != nullptr && c.name == *crv;
            });
            if (on == std::end(curves)) return text_fault{"is on a curve that is not P-256, P-384 or P-521"};
            loaded = ec_of(jwk, *on);
        } else if (*kty == "OKP") {
            if (crv == nullptr || *crv != "Ed25519") return text_fault{"is on a curve that is not Ed25519"};
            loaded = ed25519_of(jwk);
        } else {
            return made;
        }
        if (!loaded) return text_fault{"has numbers that make no key"};
        made = from_public(std::move(loaded));
    }
    if (!made) return made;
    if (id != nullptr) made->id_ = *id;
    if (const std::string* alg = string_member(jwk, "alg"))
        if (std::string fault = made->restrict_to(*alg); !fault.empty()) return text_fault{std::move(fault)};
    return made;
}

result<key, std::string> key::from_secret(std::string_view secret, std::string id) {
    if (secret.size() < secret_bytes_min)
        return text_fault{
            "is a secret of " + std::to_string(secret.size()) +
            " bytes, which can be guessed: take at least " + std::to_string(secret_bytes_min) +
            ", for example the output of: openssl rand -hex 32"};
    key made;
    made.id_ = std::move(id);
    for (const algorithm a : {algorithm::hs256, algorithm::hs384, algorithm::hs512}) {
        if (secret.size() < facts_of(a).size) continue;
        auto context = keyed_hmac(a, secret);
        if (!context) return text_fault{"cannot be used: OpenSSL has no HMAC for it"};
        made.macs_.push_back({a, std::move(context)});
        made.allowed_ |= bit_of(a);
    }
    return made;
}

result<key, std::string> key::from_public(pkey_ptr loaded) {
    key made;
    made.public_ = std::move(loaded);
    const EVP_PKEY* const pkey = made.public_.get();
    if (EVP_PKEY_is_a(pkey, "RSA") == 1) {
        if (std::string fault = fault_of_rsa(pkey); !fault.empty()) return text_fault{std::move(fault)};
        made.allow_all_of(family::rsa);
        made.allow_all_of(family::rsa_pss);
    } else if (EVP_PKEY_is_a(pkey, "ED25519") == 1) {
        made.allowed_ = bit_of(algorithm::eddsa);
    } else if (EVP_PKEY_is_a(pkey, "EC") == 1) {
        std::array<char, 64> group{};
        std::size_t length = 0;
        (void)EVP_PKEY_get_group_name(pkey, group.data(), group.size(), &length);
        for (const curve& c : curves)
            if (std::string_view(group.data(), length) == c.group) made.allowed_ = bit_of(c.is);
    }
    if (made.allowed_ == 0)
        return text_fault{
            "is of a kind that is not supported: there are RSA, EC on P-256, P-384 and P-521, and Ed25519"};
    return made;
}

bool key::allow_all_of(family kind) {
    for (std::size_t i = 0; i < algorithms.size(); ++i)
        if (algorithms[i].kind == kind) allowed_ |= 1U << i;
    return true;
}

// Empty when the key can be used with the algorithm that its maker named.
std::string key::restrict_to(const std::string& algorithm_name) {
    const auto named = algorithm_named(algorithm_name);
    if (!named || !allows(*named))
        return "has the \"alg\" \"" + log::printable(algorithm_name) + "\"; a key like it can have " +
               algorithm_names();
    allowed_ = bit_of(*named);
    std::erase_if(macs_, [&](const keyed_mac& one) { return one.is != *named; });
    return {};
}

std::string key::algorithm_names() const {
    std::string names;
    for (std::size_t i = 0; i < algorithms.size(); ++i)
        if (allows(static_cast<algorithm>(i)))
            names.append(names.empty() ? "" : ", ").append(algorithms[i].name);
    return names;
}

bool key::verify_mac(algorithm a, std::string_view text, std::string_view signature) const {
    for (const keyed_mac& one : macs_) {
        if (one.is != a) continue;
        std::array<unsigned char, EVP_MAX_MD_SIZE> expected{};
        std::size_t size = 0;
        const mac_context_ptr context(EVP_MAC_CTX_dup(one.context.get()));
        const bool computed = context &&
                              EVP_MAC_update(context.get(), bytes_of(text.data()), text.size()) == 1 &&
                              EVP_MAC_final(context.get(), expected.data(), &size, expected.size()) == 1;
        // Takes as long for a nearly right signature as for a wrong one.
        return computed && size == signature.size() &&
               CRYPTO_memcmp(expected.data(), signature.data(), size) == 0;
    }
    return false;
}

bool key::verify(algorithm a, std::string_view text, std::string_view signature) const {
    if (!allows(a)) return false;
    const algorithm_facts& facts = facts_of(a);
    if (facts.kind == family::hmac) return verify_mac(a, text, signature);
    std::string der;
    if (facts.kind == family::ecdsa) {
        der = der_of(signature, facts.size);
        if (der.empty()) return false;
        signature = der;
    }
    const digest_context_ptr context(EVP_MD_CTX_new());
    EVP_PKEY_CTX* options = nullptr;  // of the context
    bool ready = EVP_DigestVerifyInit(context.get(), &options, digest_of(a), nullptr, public_.get()) == 1;
    if (ready && facts.kind == family::rsa_pss)
        // RFC 7518 section 3.5: the salt is as long as the digest, MGF1 uses the same digest.
        ready = EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) == 1 &&
                EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST) == 1 &&
                EVP_PKEY_CTX_set_rsa_mgf1_md(options, digest_of(a)) == 1;
    const bool right = ready && EVP_DigestVerify(
                                    context.get(), bytes_of(signature.data()), signature.size(),
                                    bytes_of(text.data()), text.size()
                                ) == 1;
    if (!right) ERR_clear_error();  // a later call of TLS on this thread would take it for its own
    return right;
}

}  // namespace pulsewire::identity
