#include "server/forward/nats/target.hpp"

#include "server/broker/nats/address.hpp"
#include "server/forward/nats/writing.hpp"

#include <memory>
#include <utility>

namespace pulsewire::shell::forward {

result<target_kind, std::string> make_nats_target(const forward_settings& of, boost::asio::io_context& loop) {
    broker_options options;
    options.url = of.broker;
    auto where = nats::read_address(options);
    if (!where) return failure(where.error());
    // Shared, because a function must be copyable.
    const auto place = std::make_shared<const nats::address>(std::move(*where));
    return target_kind{[place, &of, &loop](writing::listener heard) {
        return std::make_unique<nats_writing>(loop, *place, of, std::move(heard));
    }};
}

}  // namespace pulsewire::shell::forward
