#include "server/forward/redis/target.hpp"

#include "server/broker/client_tls.hpp"
#include "server/broker/redis/address.hpp"
#include "server/forward/redis/writing.hpp"

#include <boost/asio/ssl/context.hpp>

#include <limits>
#include <memory>
#include <optional>
#include <utility>

namespace pulsewire::shell::forward {
namespace {

// What all writings of a target share.
struct redis_place {
    redis::address where;
    std::optional<boost::asio::ssl::context> tls;
    std::optional<redis::dialer> dialer;
};

}  // namespace

result<target_kind, std::string> make_redis_target(
    const forward_settings& of, boost::asio::io_context& loop
) {
    // Shared, because a function must be copyable.
    const auto place = std::make_shared<redis_place>();
    auto where = redis::read_address(of.broker);
    if (!where) return failure(where.error());
    place->where = std::move(*where);
    if (place->where.tls) {
        auto made = client_tls(of.broker_ca_file);
        if (!made) return failure(made.error());
        place->tls.emplace(std::move(*made));
    }
    place->dialer.emplace(redis::dialer{loop, place->where, place->tls ? &*place->tls : nullptr});
    return target_kind{
        [place, &of](writing::listener heard) {
            return std::make_unique<redis_writing>(*place->dialer, of, std::move(heard));
        },
        std::numeric_limits<std::size_t>::max()};
}

}  // namespace pulsewire::shell::forward
