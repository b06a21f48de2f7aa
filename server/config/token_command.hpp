#pragma once

// What `pulsewired token` and `pulsewired --check-token` print.

#include "server/config.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pulsewire::shell {

// The wishes of `pulsewired token`.
struct token_wishes {
    std::string user;
    std::vector<std::string> allow;      // "chat:**=subscribe,publish"
    std::vector<std::string> subscribe;  // channels
    std::string info;                    // JSON; empty: none
    std::string expires = "1h";          // "90s", "30m", "1h", "7d"
    std::string issuer;                  // which one; empty: the first
    std::string sign_with;               // file of a private key in PEM; empty: the issuer's secret
    std::string key_id;
};

// The token. Throws std::runtime_error with a sentence, also when the server of this config would refuse it.
std::string make_token(const config& c, const token_wishes& wanted, std::int64_t wall_ms);

struct token_report {
    bool good = false;
    std::string text;  // lines for a person
};

// Who the token is, what it permits and when it ends, or why it is refused. Asks the issuers with a jwks_url
// for their keys, and waits for that.
token_report report_on_token(const config& c, std::string_view token, std::int64_t wall_ms);

}  // namespace pulsewire::shell
