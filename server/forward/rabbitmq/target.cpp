#include "server/forward/rabbitmq/target.hpp"

#include "server/broker/client_tls.hpp"
#include "server/broker/rabbitmq/address.hpp"
#include "server/forward/rabbitmq/writing.hpp"

#include <boost/asio/ssl/context.hpp>

#include <memory>
#include <optional>
#include <utility>

namespace pulsewire::shell::forward {
namespace {

// What all writings of a target share.
struct rabbitmq_place {
    rabbitmq::address where;
    std::optional<boost::asio::ssl::context> tls;
    std::optional<rabbitmq::dialer> dialer;
};

}  // namespace

result<target_kind, std::string> make_rabbitmq_target(
    const forward_settings& of, boost::asio::io_context& loop
) {
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
    return target_kind{[place, &of](writing::listener heard) {
        return std::make_unique<rabbitmq_writing>(*place->dialer, of, std::move(heard));
    }};
}

}  // namespace pulsewire::shell::forward
