#include "server/identity/authenticator.hpp"

#include <nlohmann/json.hpp>

#include <utility>
#include <variant>

namespace pulsewire::identity {
namespace {

// Without an issuer no token counts, not even our own.
std::vector<token_issuer> with_own(std::vector<token_issuer> issuers, const std::string& secret) {
    if (issuers.empty()) return issuers;
    token_issuer& own = issuers.emplace_back();
    own.issuer = own_issuer;
    own.audience = own_issuer;
    own.secret = secret;
    return issuers;
}

}  // namespace

std::string fault_of(
    const access::principal& who, const revocations& revoked, std::int64_t lifetime_max_ms,
    std::int64_t wall_ms
) {
    if (who.expires_ms - wall_ms > lifetime_max_ms) return "the token lives longer than token_lifetime_max_s";
    return revoked.concern(who) ? "the token of " + who.user + " was revoked" : "";
}

authenticator::authenticator(
    std::vector<token_issuer> issuers, std::string own_secret, std::string folder,
    std::int64_t lifetime_max_ms, std::int64_t wall_ms
)
    : verifier_(with_own(std::move(issuers), own_secret)),
      own_key_(signing_key::from_secret(std::move(own_secret))),
      revocations_(std::move(folder), lifetime_max_ms, wall_ms),
      lifetime_max_ms_(lifetime_max_ms) {}

result<std::string, std::string> authenticator::token_for(
    const std::string& user, const nlohmann::json& own, std::int64_t expires_ms, std::int64_t wall_ms
) const {
    constexpr double second_ms = 1'000;
    // With its milliseconds, so that a revocation of this second counts for what was made before it alone.
    nlohmann::json claims = {
        {"iss", own_issuer},
        {"aud", own_issuer},
        {"sub", user},
        {"iat", static_cast<double>(wall_ms) / second_ms},
        {"exp", static_cast<double>(expires_ms) / second_ms}};
    if (!own.empty()) claims["pulsewire"] = own;
    auto token = own_key_.token(claims);
    if (!token) return failure{std::string("OpenSSL cannot sign")};
    const answer tried = verify(*token, wall_ms);
    if (tried.verdict.who == nullptr) return failure{tried.why};
    return std::move(*token);
}

authenticator::answer authenticator::verify(std::string_view token, std::int64_t wall_ms) const {
    answer a;
    auto outcome = verifier_.verify(token, wall_ms);
    if (auto* unknown = std::get_if<unknown_key>(&outcome)) {
        a.waits = true;
        a.issuer = std::move(unknown->issuer);
        a.key_id = std::move(unknown->key_id);
    } else if (auto* no = std::get_if<refused>(&outcome)) {
        a.verdict.try_later = no->fault == token_fault::unavailable;
        a.verdict.expired = no->fault == token_fault::expired;
        a.why = std::move(no->why);
        a.issuer = std::move(no->issuer);
        a.key_id = std::move(no->key_id);
    } else {
        const access::principal_ptr who = std::get<accepted>(outcome).who;
        a.why = fault_of(*who, revocations_, lifetime_max_ms_, wall_ms);
        a.verdict.expired = !a.why.empty() && revocations_.concern(*who);
        if (a.why.empty()) a.verdict.who = who;
    }
    return a;
}

}  // namespace pulsewire::identity
