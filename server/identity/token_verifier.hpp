#pragma once

// Decides whether a token is good and who shows it: a JWT (RFC 7519) as JWS compact (RFC 7515), signed by one
// of the configured issuers. docs/auth.md describes the tokens, decision 0016 the choices.

#include "server/identity/issuer_settings.hpp"
#include "server/identity/verdict.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

namespace pulsewire::identity {

class token_verifier {
public:
    // Reads the keys of the settings and their files. Throws std::runtime_error with a sentence for the
    // operator. Without issuers no token is good. Asks no issuer yet: see start().
    explicit token_verifier(std::vector<token_issuer> issuers);
    ~token_verifier();  // ends the thread of start()
    token_verifier(const token_verifier&) = delete;
    token_verifier& operator=(const token_verifier&) = delete;

    // Whether there is an issuer at all.
    bool has_issuers() const;

    // From any number of threads at once. Never waits for the network and never throws. `wall_ms` is the time
    // of day in milliseconds since 1970; a token is taken up to token_leeway_ms after its principal's
    // expires_ms. The same token yields the same principal as long as the keys stay.
    outcome verify(std::string_view token, std::int64_t wall_ms) const;

    // Begins to ask the issuers with a jwks_url for their keys, on a thread of its own. That thread calls
    // `asked` after each attempt, also after one that failed: then tokens whose outcome was unknown_key can
    // be verified again. Call at most once; does nothing where no issuer has a jwks_url.
    void start(std::function<void()> asked);

    // Reads the files of the settings again, from any thread. Verifications that are under way end with the
    // keys they began with. Throws as the constructor does; then the old keys stay in use.
    void reload();

private:
    struct parts;
    std::unique_ptr<parts> parts_;
};

}  // namespace pulsewire::identity
