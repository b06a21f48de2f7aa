#include "server/identity/authenticator.hpp"

#include <utility>
#include <variant>

namespace pulsewire::identity {

authenticator::authenticator(
    std::vector<token_issuer> issuers, std::string folder, std::int64_t lifetime_max_ms, std::int64_t wall_ms
)
    : verifier_(std::move(issuers)),
      revocations_(std::move(folder), lifetime_max_ms, wall_ms),
      lifetime_max_ms_(lifetime_max_ms) {}

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
        if (who->expires_ms - wall_ms > lifetime_max_ms_) {
            a.why = "the token lives longer than token_lifetime_max_s";
        } else if (revocations_.concern(*who)) {
            a.why = "the token of " + who->user + " was revoked";
            a.verdict.expired = true;
        } else {
            a.verdict.who = who;
        }
    }
    return a;
}

}  // namespace pulsewire::identity
