#include "server/broker/url.hpp"
#include "server/forward/target.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#ifdef PULSEWIRE_BROKER_REDIS
#include "server/forward/redis/target.hpp"
#endif
#ifdef PULSEWIRE_BROKER_NATS
#include "server/forward/nats/target.hpp"
#endif
#ifdef PULSEWIRE_BROKER_KAFKA
#include "server/forward/kafka/target.hpp"
#endif
#ifdef PULSEWIRE_BROKER_RABBITMQ
#include "server/forward/rabbitmq/target.hpp"
#endif

namespace pulsewire::shell::forward {
namespace {

using of_broker = result<target_kind, std::string> (*)(const forward_settings&, boost::asio::io_context&);

#ifdef PULSEWIRE_BROKER_REDIS
constexpr of_broker make_redis = make_redis_target;
#else
constexpr of_broker make_redis = nullptr;
#endif

#ifdef PULSEWIRE_BROKER_NATS
constexpr of_broker make_nats = make_nats_target;
#else
constexpr of_broker make_nats = nullptr;
#endif
#ifdef PULSEWIRE_BROKER_KAFKA
constexpr of_broker make_kafka = make_kafka_target;
#else
constexpr of_broker make_kafka = nullptr;
#endif
#ifdef PULSEWIRE_BROKER_RABBITMQ
constexpr of_broker make_rabbitmq = make_rabbitmq_target;
#else
constexpr of_broker make_rabbitmq = nullptr;
#endif

struct adapter {
    std::array<std::string_view, 6> schemes;
    std::string_view package;
    of_broker make;  // null: not built in
};
constexpr adapter adapters[] = {
    {{"redis", "rediss", "redis-sentinel", "rediss-sentinel", "redis-cluster", "rediss-cluster"},
     "libhiredis-dev",
     make_redis},
    {{"nats", "natss"}, "libnats-dev", make_nats},
    {{"kafka", "kafkas"}, "librdkafka-dev", make_kafka},
    {{"rabbitmq", "rabbitmqs"}, "librabbitmq-dev", make_rabbitmq},
};

}  // namespace

result<target_kind, std::string> make_target(const forward_settings& of, boost::asio::io_context& loop) {
    const std::string_view scheme = scheme_of(of.broker);
    const auto* const found =
        std::find_if(std::begin(adapters), std::end(adapters), [&](const adapter& each) {
            return !scheme.empty() &&
                   std::find(each.schemes.begin(), each.schemes.end(), scheme) != each.schemes.end();
        });
    if (found == std::end(adapters))
        return failure(std::string(
            "the broker's address must begin with redis:// or one of its kin, nats://, natss://, kafka://, "
            "kafkas://, rabbitmq:// or rabbitmqs://"
        ));
    if (found->make != nullptr) return found->make(of, loop);
    return failure(std::string("this build cannot write to ")
                       .append(scheme)
                       .append("://: install the package ")
                       .append(found->package)
                       .append(", and configure and build it again"));
}

}  // namespace pulsewire::shell::forward
