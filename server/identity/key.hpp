#pragma once

// A key that signatures of tokens are checked with. Its algorithms are decided where it is made; what a token
// says about its algorithm is only compared with them, so no token can choose how it is read (RFC 8725 3.1).

#include "common/base/result.hpp"
#include "server/identity/algorithm.hpp"
#include "server/identity/openssl.hpp"

#include <nlohmann/json_fwd.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace pulsewire::identity {

inline constexpr int rsa_bits_min = 2048;
inline constexpr int rsa_bits_max = 8192;  // beyond: one verification would take milliseconds
inline constexpr std::size_t secret_bytes_min = 32;

// Immutable; verify() may be called from any number of threads at once.
class key {
public:
    // Errors say what is wrong with the key, never what is in it.
    //
    // A JWK (RFC 7517). Private parts of asymmetric keys are refused: a verifier has no use for them, and
    // they do not belong into a file or an address that others read.
    static result<key, std::string> from_jwk(const nlohmann::json& jwk);
    static result<key, std::string> from_secret(std::string_view secret, std::string id = {});
    // A public key, or a certificate's, as OpenSSL holds it.
    static result<key, std::string> from_public(pkey_ptr loaded);

    // The "kid"; empty: it has none and is tried for any.
    const std::string& id() const { return id_; }
    bool is_secret() const { return !macs_.empty(); }
    bool allows(algorithm a) const { return (allowed_ & bit_of(a)) != 0; }
    // Whether `signature` is the one of `text` by this key. False for an algorithm that is not allowed.
    bool verify(algorithm a, std::string_view text, std::string_view signature) const;
    // "HS256, HS384".
    std::string algorithm_names() const;

private:
    struct keyed_mac {
        algorithm is;
        mac_context_ptr context;  // with the key in it; duplicated for each use
    };

    static constexpr unsigned bit_of(algorithm a) { return 1U << static_cast<unsigned>(a); }
    key() = default;
    std::string restrict_to(const std::string& algorithm_name);
    bool allow_all_of(family kind);
    bool verify_mac(algorithm a, std::string_view text, std::string_view signature) const;

    std::string id_;
    unsigned allowed_ = 0;
    std::vector<keyed_mac> macs_;
    pkey_ptr public_;
};

}  // namespace pulsewire::identity
