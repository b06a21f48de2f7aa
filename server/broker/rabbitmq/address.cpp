#include "server/broker/rabbitmq/address.hpp"

#include <charconv>
#include <optional>
#include <utility>

namespace pulsewire::shell::rabbitmq {
namespace {

constexpr std::uint16_t server_port = 5672;
constexpr std::uint16_t tls_port = 5671;
constexpr std::size_t hosts_max = 8;
// A queue's name has at most 255 bytes, and a number follows ours.
constexpr std::size_t name_bytes_max = 200;
constexpr std::size_t vhost_bytes_max = 255;
// All of the login is said in one frame.
constexpr std::size_t login_bytes_max = 2'000;
constexpr std::uint32_t keep_mb_min = 256;
constexpr std::uint32_t keep_mb_max = 1'000'000;

std::optional<std::uint32_t> megabytes_of(std::string_view text) {
    std::uint32_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    if (number < keep_mb_min || number > keep_mb_max) return std::nullopt;
    return number;
}

result<address, std::string> with_options(address found, const broker_url& read) {
    for (const auto& [name, value] : read.options) {
        const auto megabytes = name == "keep_mb" ? megabytes_of(value) : std::nullopt;
        if (!megabytes)
            return wrong_address(
                "has an option that a RabbitMQ does not have: there is keep_mb=256 to keep_mb=1000000"
            );
        found.keep_mb = *megabytes;
    }
    return found;
}

}  // namespace

result<address, std::string> read_address(const broker_options& options) {
    address found;
    found.tls = scheme_of(options.url) == "rabbitmqs";
    auto read = read_broker_url(options.url, found.tls ? tls_port : server_port);
    if (!read) return failure(read.error());
    if (!found.tls && read->scheme != "rabbitmq")
        return wrong_address("begins with none of the schemes of a RabbitMQ: rabbitmq:// and rabbitmqs://");
    if (read->hosts.size() > hosts_max) return wrong_address("names more than 8 servers");
    if (read->path.size() > vhost_bytes_max || read->user.size() + read->password.size() > login_bytes_max)
        return wrong_address("has a virtual host, a user or a password that is too long for a RabbitMQ");
    if (read->user.empty() && !read->password.empty())
        return wrong_address("has a password without a user: write user:password@host");
    found.hosts = std::move(read->hosts);
    const bool is_guest = read->user.empty();
    found.user = is_guest ? "guest" : std::move(read->user);
    found.password = is_guest ? "guest" : std::move(read->password);
    found.vhost = read->path.empty() ? "/" : std::move(read->path);
    found.name = options.prefix;
    if (found.name.empty() || found.name.size() > name_bytes_max || found.name.starts_with("amq."))
        return failure(std::string(
            "the prefix gives RabbitMQ's streams a name that is empty, longer than 200 bytes, or begins with "
            "\"amq.\", which is the server's own"
        ));
    if (options.wait_replicas > 0) {
        return failure(std::string(
            "RabbitMQ answers an append when most of a stream's replicas have it, and no other number can be "
            "asked for: leave the number of replicas to wait for at 0"
        ));
    }
    return with_options(std::move(found), *read);
}

}  // namespace pulsewire::shell::rabbitmq
