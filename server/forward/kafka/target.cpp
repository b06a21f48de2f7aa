#include "server/forward/kafka/target.hpp"

#include "server/broker/kafka/address.hpp"
#include "server/broker/kafka/settings.hpp"
#include "server/forward/kafka/writing.hpp"

#include <limits>
#include <memory>
#include <utility>

namespace pulsewire::shell::forward {

result<target_kind, std::string> make_kafka_target(
    const forward_settings& of, boost::asio::io_context& loop
) {
    auto where = kafka::read_address(of.broker);
    if (!where) return failure(where.error());
    // Shared, because a function must be copyable.
    const auto options = std::make_shared<kafka::client_options>();
    options->where = std::move(*where);
    options->tls_ca_file = of.broker_ca_file;
    return target_kind{
        [options, &loop](writing::listener heard) {
            return std::make_unique<kafka_writing>(loop, *options, std::move(heard));
        },
        std::numeric_limits<std::size_t>::max()};
}

}  // namespace pulsewire::shell::forward
