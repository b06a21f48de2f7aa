#include "server/broker/make_broker.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#ifdef PULSEWIRE_BROKER_REDIS
#include "server/broker/redis/broker.hpp"
#endif

namespace pulsewire::shell {
namespace {

constexpr std::string_view redis_forms =
    "redis://host:6379 (rediss:// with TLS), redis-sentinel://host1,host2,host3/master or "
    "redis-cluster://host1,host2";

bool is_redis(std::string_view scheme) {
    constexpr std::string_view known[] = {"redis",           "rediss",        "redis-sentinel",
                                          "rediss-sentinel", "redis-cluster", "rediss-cluster"};
    return std::find(std::begin(known), std::end(known), scheme) != std::end(known);
}

// Empty when the address does not begin with one. Only such a text is repeated in an error: the rest may hold
// a password.
std::string_view scheme_of(std::string_view url) {
    const auto end = url.find("://");
    if (end == url.npos) return {};
    const std::string_view scheme = url.substr(0, end);
    return scheme.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789+-.") == scheme.npos
               ? scheme
               : std::string_view{};
}

}  // namespace

result<std::unique_ptr<broker>, std::string> make_broker(
    const broker_options& options, [[maybe_unused]] broker::handler handler
) {
    const std::string_view scheme = scheme_of(options.url);
    if (scheme.empty()) {
        return failure(std::string("the broker's address has no scheme: write ").append(redis_forms));
    }
    if (!is_redis(scheme)) {
        return failure(
            std::string("no broker is known by ").append(scheme).append("://: write ").append(redis_forms)
        );
    }
#ifdef PULSEWIRE_BROKER_REDIS
    return redis::make_broker(options, std::move(handler));
#else
    return failure(
        std::string("this build has no Redis and no Valkey: install the package libhiredis-dev, and "
                    "configure and build it again")
    );
#endif
}

}  // namespace pulsewire::shell
