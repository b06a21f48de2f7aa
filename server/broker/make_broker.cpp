#include "server/broker/make_broker.hpp"

#include "server/broker/url.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#ifdef PULSEWIRE_BROKER_KAFKA
#include "server/broker/kafka/broker.hpp"
#endif
#ifdef PULSEWIRE_BROKER_REDIS
#include "server/broker/redis/broker.hpp"
#endif
#ifdef PULSEWIRE_BROKER_NATS
#include "server/broker/nats/broker.hpp"
#endif
#ifdef PULSEWIRE_BROKER_RABBITMQ
#include "server/broker/rabbitmq/broker.hpp"
#endif

namespace pulsewire::shell {
namespace {

using maker = result<std::unique_ptr<broker>, std::string> (*)(const broker_options&, broker::handler);

#ifdef PULSEWIRE_BROKER_REDIS
constexpr maker make_redis = redis::make_broker;
#else
constexpr maker make_redis = nullptr;
#endif
#ifdef PULSEWIRE_BROKER_NATS
constexpr maker make_nats = nats::make_broker;
#else
constexpr maker make_nats = nullptr;
#endif
#ifdef PULSEWIRE_BROKER_KAFKA
constexpr maker make_kafka = kafka::make_broker;
#else
constexpr maker make_kafka = nullptr;
#endif
#ifdef PULSEWIRE_BROKER_RABBITMQ
constexpr maker make_rabbitmq = rabbitmq::make_broker;
#else
constexpr maker make_rabbitmq = nullptr;
#endif

struct adapter {
    std::array<std::string_view, 6> schemes;
    std::string_view missing;  // "this build has no …"
    std::string_view package;
    maker make;  // null: not built in
};
constexpr adapter adapters[] = {
    {{"redis", "rediss", "redis-sentinel", "rediss-sentinel", "redis-cluster", "rediss-cluster"},
     "Redis and no Valkey",
     "libhiredis-dev",
     make_redis},
    {{"nats", "natss"}, "NATS", "libnats-dev", make_nats},
    {{"kafka", "kafkas"}, "Kafka", "librdkafka-dev", make_kafka},
    {{"rabbitmq", "rabbitmqs"}, "RabbitMQ", "librabbitmq-dev", make_rabbitmq},
};

constexpr std::string_view forms =
    "redis://host:6379 (rediss:// with TLS), redis-sentinel://host1,host2,host3/master, "
    "redis-cluster://host1,host2, nats://host:4222 (natss:// with TLS), kafka://host:9092 (kafkas:// with "
    "TLS) "
    "or rabbitmq://host:5672 (rabbitmqs:// with TLS)";

}  // namespace

result<std::unique_ptr<broker>, std::string> make_broker(
    const broker_options& options, broker::handler handler
) {
    const std::string_view scheme = scheme_of(options.url);
    if (scheme.empty())
        return failure(std::string("the broker's address has no scheme: write ").append(forms));
    const auto* const found =
        std::find_if(std::begin(adapters), std::end(adapters), [&](const adapter& each) {
            return std::find(each.schemes.begin(), each.schemes.end(), scheme) != each.schemes.end();
        });
    if (found == std::end(adapters))
        return failure(
            std::string("no broker is known by ").append(scheme).append("://: write ").append(forms)
        );
    if (found->make != nullptr) return found->make(options, std::move(handler));
    return failure(std::string("this build has no ")
                       .append(found->missing)
                       .append(": install the package ")
                       .append(found->package)
                       .append(", and configure and build it again"));
}

}  // namespace pulsewire::shell
