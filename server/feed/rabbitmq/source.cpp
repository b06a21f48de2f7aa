#include "server/feed/rabbitmq/source.hpp"

#include "server/broker/client_tls.hpp"
#include "server/broker/rabbitmq/address.hpp"
#include "server/feed/rabbitmq/reading.hpp"

#include <boost/asio/ssl/context.hpp>

#include <memory>
#include <optional>
#include <utility>

namespace pulsewire::shell::feed {
namespace {

// What all readings of a source share.
struct rabbitmq_place {
    rabbitmq::address where;
    std::optional<boost::asio::ssl::context> tls;
    std::optional<rabbitmq::dialer> dialer;
};

}  // namespace

result<source::maker, std::string> make_rabbitmq_source(
    const consume_settings& of, boost::asio::io_context& loop
) {
    if (of.from_newest)
        return failure(std::string(
            "from_newest means nothing for RabbitMQ: a queue holds what nobody has taken, and that is read"
        ));
    // Shared, because a function must be copyable.
    const auto place = std::make_shared<rabbitmq_place>();
    broker_options options;
    options.url = of.broker;
    auto where = rabbitmq::read_address(options);
    if (!where) return failure(where.error());
    place->where = std::move(*where);
    if (place->where.tls) {
        auto made = client_tls(of.broker_ca_file);
        if (!made) return failure(made.error());
        place->tls.emplace(std::move(*made));
    }
    place->dialer.emplace(rabbitmq::dialer{loop, place->where, place->tls ? &*place->tls : nullptr});
    return source::maker([place, &of](ticket& last, reading::listener heard) {
        return std::make_unique<rabbitmq_reading>(*place->dialer, of, last, std::move(heard));
    });
}

}  // namespace pulsewire::shell::feed
