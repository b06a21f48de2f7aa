#include "server/feed/nats/source.hpp"

#include "server/broker/nats/address.hpp"
#include "server/feed/nats/reading.hpp"

#include <memory>
#include <utility>

namespace pulsewire::shell::feed {

result<source::maker, std::string> make_nats_source(
    const consume_settings& of, boost::asio::io_context& loop
) {
    broker_options options;
    options.url = of.broker;
    auto where = nats::read_address(options);
    if (!where) return failure(where.error());
    // Shared, because a function must be copyable.
    const auto place = std::make_shared<const nats::address>(std::move(*where));
    return source::maker([place, &of, &loop](ticket& last, reading::listener heard) {
        return std::make_unique<nats_reading>(loop, *place, of, last, std::move(heard));
    });
}

}  // namespace pulsewire::shell::feed
