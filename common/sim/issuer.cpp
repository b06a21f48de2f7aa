#include "common/sim/issuer.hpp"

#include <memory>

namespace pulsewire::sim {

std::string issuer::issue(const std::string& user) {
    made m;
    m.user = user;
    m.granted = calm_ || random_.percent(60);
    m.at_ms = time_.now();
    m.until_ms = time_.now() + (calm_ ? random_.between(12'000, 60'000) : random_.between(3'000, 20'000));
    std::string token = "token-" + std::to_string(made_.size() + 1);
    made_[token] = std::move(m);
    return token;
}

access::verdict issuer::verify(const std::string& token, hub::instant now) const {
    if (!calm_ && time_.now() < down_until_) return {nullptr, true};
    const auto found = made_.find(token);
    if (found == made_.end()) return {};
    const made& m = found->second;
    const auto revoked = revoked_.find(m.user);
    if (time_.now() >= m.until_ms || (revoked != revoked_.end() && m.at_ms <= revoked->second))
        return {nullptr, false, true};
    access::principal p;
    p.user = m.user;
    p.token_id = token;
    // The clocks of the two are right as often as they have to be: at this moment.
    p.expires_ms = now.wall_ms + (m.until_ms - time_.now());
    p.issued_ms = m.at_ms;
    if (m.granted) (void)p.allowed.add(std::string(granted_namespace) + ":**", operations::all());
    // One channel that everybody may have, and one that needs the grant.
    p.subscribe = {"news:1", std::string(granted_namespace) + ":1"};
    return {std::make_shared<const access::principal>(std::move(p))};
}

hub::revoke issuer::revoke(const std::string& user) {
    revoked_[user] = time_.now();
    hub::revoke what;
    what.user = user;
    what.issued_before_ms = time_.now() + 1;
    return what;
}

}  // namespace pulsewire::sim
