#include "server/feed/redis/source.hpp"

#include "server/broker/client_tls.hpp"
#include "server/broker/redis/address.hpp"
#include "server/feed/redis/reading.hpp"

#include <boost/asio/ssl/context.hpp>

#include <memory>
#include <optional>
#include <utility>

namespace pulsewire::shell::feed {
namespace {

// What all readings of a source share.
struct redis_place {
    redis::address where;
    std::optional<boost::asio::ssl::context> tls;
    std::optional<redis::dialer> dialer;
};

}  // namespace

result<source::maker, std::string> make_redis_source(
    const consume_settings& of, boost::asio::io_context& loop
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
    return source::maker([place, &of](ticket& last, reading::listener heard) {
        return std::make_unique<redis_reading>(*place->dialer, of, last, std::move(heard));
    });
}

}  // namespace pulsewire::shell::feed
