#pragma once

// Makes tokens: for trying (`pulsewired token`) and for tests. A server never needs it.

#include "common/base/result.hpp"
#include "server/identity/algorithm.hpp"
#include "server/identity/openssl.hpp"

#include <nlohmann/json_fwd.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace pulsewire::identity {

class signing_key {
public:
    // Errors are ends of sentences. The lengths are not checked: the verifier does that.
    static signing_key from_secret(std::string secret, std::string id = {});
    static result<signing_key, std::string> from_pem(std::string_view text, std::string id = {});
    static result<signing_key, std::string> from_private(pkey_ptr loaded);

    // The usual one of this kind of key: HS256, RS256, that of the curve, EdDSA.
    algorithm usual() const { return usual_; }
    // Nothing when the key is of another kind than the algorithm.
    std::optional<std::string> sign(algorithm a, std::string_view text) const;
    // The token; `header` gets "alg", and "kid" where the key has one.
    std::optional<std::string> token(const nlohmann::json& claims, nlohmann::json header) const;
    std::optional<std::string> token(const nlohmann::json& claims) const;
    const EVP_PKEY* pair() const { return pair_.get(); }

private:
    signing_key() = default;

    algorithm usual_ = algorithm::hs256;
    std::string id_;
    std::string secret_;
    pkey_ptr pair_;
};

}  // namespace pulsewire::identity
