#include "server/feed/kafka/source.hpp"

#include "server/broker/kafka/address.hpp"
#include "server/broker/kafka/settings.hpp"
#include "server/feed/kafka/reading.hpp"

#include <memory>
#include <utility>

namespace pulsewire::shell::feed {

result<source::maker, std::string> make_kafka_source(
    const consume_settings& of, boost::asio::io_context& loop
) {
    auto where = kafka::read_address(of.broker);
    if (!where) return failure(where.error());
    // Shared, because a function must be copyable.
    const auto options = std::make_shared<kafka::client_options>();
    options->where = std::move(*where);
    options->tls_ca_file = of.broker_ca_file;
    return source::maker([options, &of, &loop](ticket& last, reading::listener heard) {
        return std::make_unique<kafka_reading>(loop, *options, of, last, std::move(heard));
    });
}

}  // namespace pulsewire::shell::feed
