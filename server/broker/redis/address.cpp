#include "server/broker/redis/address.hpp"

#include <algorithm>
#include <utility>

namespace pulsewire::shell::redis {
namespace {

constexpr std::uint16_t server_port = 6379;
constexpr std::uint16_t sentinel_port = 26379;

struct known_scheme {
    std::string_view name;
    address::kind how;
    bool tls;
};
constexpr known_scheme schemes[] = {
    {"redis", address::kind::single, false},
    {"rediss", address::kind::single, true},
    {"redis-sentinel", address::kind::sentinel, false},
    {"rediss-sentinel", address::kind::sentinel, true},
    {"redis-cluster", address::kind::cluster, false},
    {"rediss-cluster", address::kind::cluster, true},
};

result<address, std::string> with_path(address found, std::string_view path) {
    if (found.how == address::kind::sentinel) {
        if (path.empty()) {
            return wrong_address(
                "does not say which master the sentinels shall name: write redis-sentinel://hosts/mymaster"
            );
        }
        found.master_name = path;
    } else if (!path.empty()) {
        return wrong_address(
            "has a path, but logs are in database 0: two clusters with one broker differ by their prefix"
        );
    }
    return found;
}

}  // namespace

result<address, std::string> read_address(std::string_view url) {
    const auto* const known =
        std::find_if(std::begin(schemes), std::end(schemes), [scheme = scheme_of(url)](const auto& each) {
            return each.name == scheme;
        });
    if (known == std::end(schemes))
        return wrong_address("begins with none of the schemes of a Redis: redis:// and its kin");
    const auto usual_port = known->how == address::kind::sentinel ? sentinel_port : server_port;
    auto read = read_broker_url(url, usual_port);
    if (!read) return failure(read.error());
    if (!read->options.empty())
        return wrong_address("has options behind a '?', and there are none for a Redis");
    address found;
    found.how = known->how;
    found.tls = known->tls;
    found.hosts = std::move(read->hosts);
    found.user = std::move(read->user);
    found.password = std::move(read->password);
    if (found.how == address::kind::single && found.hosts.size() > 1) {
        return wrong_address("names several hosts: that is for redis-sentinel:// and redis-cluster://");
    }
    return with_path(std::move(found), read->path);
}

}  // namespace pulsewire::shell::redis
