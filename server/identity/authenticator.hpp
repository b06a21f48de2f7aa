#pragma once

// Says for all shards of a node who shows a token: whether it is good, and not revoked. Keeps the tickets
// that are exchanged for cookies.

#include "common/access/principal.hpp"
#include "common/base/result.hpp"
#include "common/exchange/to_session.hpp"
#include "server/identity/issuer_settings.hpp"
#include "server/identity/revocations.hpp"
#include "server/identity/signing_key.hpp"
#include "server/identity/tickets.hpp"
#include "server/identity/token_verifier.hpp"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace pulsewire::identity {

// The "iss" and "aud" of the tokens that the server itself signs for the users that its backend names. No
// other issuer can have this name.
inline constexpr std::string_view own_issuer = "pulsewire:tickets";

// Why a token that is right in itself counts for nothing; empty when it counts. Tokens live `lifetime_max_ms`
// at most.
std::string fault_of(
    const access::principal& who, const revocations& revoked, std::int64_t lifetime_max_ms,
    std::int64_t wall_ms
);

class authenticator {
public:
    // Tokens live `lifetime_max_ms` at most. `folder` is the data folder; empty: revocations are kept in
    // memory. `own_secret`, 32 bytes or more, signs the server's own tokens. Throws std::runtime_error with a
    // sentence for the operator: keys or the list of revoked tokens cannot be read.
    authenticator(
        std::vector<token_issuer> issuers, std::string own_secret, std::string folder,
        std::int64_t lifetime_max_ms, std::int64_t wall_ms
    );

    struct answer {
        access::verdict verdict;
        bool waits = false;  // the issuer is being asked for its keys, and then there is a verdict
        std::string why;     // of a refusal, for the log; printable
        std::string issuer, key_id;
    };
    // From any thread; never waits.
    answer verify(std::string_view token, std::int64_t wall_ms) const;

    // A token of the server's own for `user`, as an issuer would call it, with `own` as its claim
    // "pulsewire". An error is a sentence for whoever asked for it.
    result<std::string, std::string> token_for(
        const std::string& user, const nlohmann::json& own, std::int64_t expires_ms, std::int64_t wall_ms
    ) const;
    tickets& open_tickets() { return tickets_; }

    // `asked` is called on a thread of its own when those that wait should be verified again.
    void start(std::function<void()> asked) { verifier_.start(std::move(asked)); }
    // Reads the keys again; throws as the constructor does, and then the old ones stay.
    void reload() { verifier_.reload(); }
    // From any thread. False when it cannot be kept: nothing is revoked.
    bool revoke(const hub::revoke& what, std::int64_t wall_ms) { return revocations_.add(what, wall_ms); }

private:
    token_verifier verifier_;
    signing_key own_key_;
    tickets tickets_;
    revocations revocations_;
    std::int64_t lifetime_max_ms_;
};

}  // namespace pulsewire::identity
