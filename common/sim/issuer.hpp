#pragma once

// Who makes the tokens of a run, and verifies them for the server: slowly, out of order, or not now. What
// each user may do changes from token to token.

#include "common/access/principal.hpp"
#include "common/exchange/instant.hpp"
#include "common/exchange/to_session.hpp"
#include "common/sim/dice.hpp"
#include "common/sim/timeline.hpp"

#include <cstdint>
#include <map>
#include <string>

namespace pulsewire::sim {

// The namespace in which a user needs a grant; what others give to users is enough elsewhere.
inline constexpr std::string_view granted_namespace = "chat";

class issuer {
public:
    issuer(timeline& time, dice& random) : time_(time), random_(random) {}

    static std::string user_of(std::size_t client) { return "user-" + std::to_string(client); }

    // A new token of the user.
    std::string issue(const std::string& user);
    // What it proves at this moment, by the server's clock.
    access::verdict verify(const std::string& token, hub::instant now) const;
    // The tokens of the user that there are count no more.
    hub::revoke revoke(const std::string& user);
    // Tokens cannot be verified until then.
    void is_down_until(std::int64_t ms) { down_until_ = ms; }
    // From now on everybody may do everything, and nothing is down.
    void calms_down() { calm_ = true; }

private:
    struct made {
        std::string user;
        bool granted = false;
        std::int64_t at_ms = 0, until_ms = 0;  // by the timeline
    };
    timeline& time_;
    dice& random_;
    std::map<std::string, made> made_;
    std::map<std::string, std::int64_t> revoked_;  // by user: the time before which tokens were made
    std::int64_t down_until_ = 0;
    bool calm_ = false;
};

}  // namespace pulsewire::sim
