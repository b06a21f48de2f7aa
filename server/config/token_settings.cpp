#include "server/config/token_settings.hpp"

#include "server/identity/authenticator.hpp"
#include "server/identity/https_get.hpp"
#include "server/identity/token_verifier.hpp"
#include "server/log.hpp"

#include <cstddef>
#include <set>
#include <stdexcept>
#include <vector>

namespace pulsewire {

std::vector<pulsewire::token_issuer> config::all_issuers() const {
    std::vector<pulsewire::token_issuer> all = issuers;
    // A part of it is a fault, and not the same as nothing.
    if (issuer_of_settings != token_issuer()) all.insert(all.begin(), issuer_of_settings);
    return all;
}

namespace shell {
namespace {

constexpr std::size_t issuers_max = 16;

// `place` is before the names of the settings: "token_" or "issuers[0].".
std::string fault_of(const token_issuer& one, const std::string& place) {
    if (one.issuer.empty())
        return place +
               "issuer is missing: set it to what the tokens have as \"iss\", for example "
               "https://login.example.com/ (pulsewired --check-token shows what one has).";
    if (one.issuer == identity::own_issuer)
        return place + "issuer is " + std::string(identity::own_issuer) +
               ", which is the name of this server's own tokens.";
    if (one.audience.empty())
        return place +
               "audience is missing: set it to what the tokens have as \"aud\", the name of this service at "
               "their issuer. Without it a token for any other service would be good here.";
    if (one.user_claim.empty())
        return place + "user_claim is empty: it names the claim with the user, usually sub.";
    if (one.secret.empty() && one.secret_file.empty() && one.key_file.empty() && one.jwks_url.empty())
        return place + "issuer is set, and no key to check its tokens with: set " + place +
               "jwks_url to the address of an identity provider's keys, " + place +
               "key_file to a public key, or " + place +
               "secret_file to a file with a secret of 32 bytes or more (openssl rand -hex 32).";
    if (!one.jwks_url.empty())
        if (const std::string wrong = identity::fault_of_key_address(one.jwks_url); !wrong.empty())
            return place + "jwks_url is \"" + log::printable(one.jwks_url) + "\"; it " + wrong + ".";
    return {};
}

}  // namespace

std::string fault_of_issuers(const config& c) {
    const auto all = c.all_issuers();
    if (all.size() > issuers_max)
        return "there are more than " + std::to_string(issuers_max) + " issuers of tokens.";
    const std::size_t in_file = all.size() - c.issuers.size();
    std::set<std::string> names;
    for (std::size_t i = 0; i < all.size(); ++i) {
        const std::string place = i < in_file ? "token_" : "issuers[" + std::to_string(i - in_file) + "].";
        if (std::string wrong = fault_of(all[i], place); !wrong.empty()) return wrong;
        if (!names.insert(all[i].issuer).second)
            return "the issuer " + log::printable(all[i].issuer) +
                   " is configured twice: put all its keys into one place, they count together.";
    }
    try {
        const identity::token_verifier reads_the_keys(all);
    } catch (const std::runtime_error& e) {
        return e.what();
    }
    return {};
}

}  // namespace shell
}  // namespace pulsewire
