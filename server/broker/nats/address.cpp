#include "server/broker/nats/address.hpp"

#include <algorithm>
#include <utility>

namespace pulsewire::shell::nats {
namespace {

constexpr std::uint16_t server_port = 4222;
constexpr std::size_t hosts_max = 8;
// A stream's name is a folder of the server.
constexpr std::size_t name_bytes_max = 200;
// JetStream has no more.
constexpr unsigned replicas_max = 5;

// Streams' names and subjects give a meaning to dots, stars, slashes and spaces: such bytes become =HH.
std::string name_of(std::string_view text) {
    constexpr std::string_view fine = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string name;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (fine.find(c) != fine.npos)
            name += c;
        else
            name.append(1, '=').append(1, digits[byte >> 4]).append(1, digits[byte & 15]);
    }
    return name;
}

result<address, std::string> with_options(address found, const broker_url& read) {
    for (const auto& [name, value] : read.options) {
        if (name == "replicas" && value.size() == 1 && value[0] >= '1' && value[0] <= '5') {
            found.replicas = static_cast<unsigned>(value[0] - '0');
        } else if (name == "credentials" && !value.empty()) {
            found.credentials_file = value;
        } else if (name == "trust" && value == "durable") {
            found.is_trusted = true;
        } else {
            return wrong_address(
                "has an option that a NATS does not have: there are replicas=1 to replicas=5, "
                "credentials=FILE and trust=durable"
            );
        }
    }
    return found;
}

}  // namespace

result<address, std::string> read_address(const broker_options& options) {
    auto read = read_broker_url(options.url, server_port);
    if (!read) return failure(read.error());
    address found;
    found.tls = read->scheme == "natss";
    if (!found.tls && read->scheme != "nats")
        return wrong_address("begins with none of the schemes of a NATS: nats:// and natss://");
    if (read->hosts.size() > hosts_max) return wrong_address("names more than 8 servers");
    found.hosts = std::move(read->hosts);
    found.user = std::move(read->user);
    found.password = std::move(read->password);
    found.name = name_of(read->path.empty() ? options.prefix : read->path);
    if (found.name.empty() || found.name.size() > name_bytes_max)
        return wrong_address("or the prefix gives streams a name that is empty or longer than 200 bytes");
    auto with = with_options(std::move(found), *read);
    if (!with) return with;
    // The half of the replicas that answers an append has the stream's leader in it.
    with->replicas = std::max(with->replicas, 2 * options.wait_replicas + 1);
    if (with->replicas > replicas_max)
        return failure(std::string("a stream of NATS has at most 5 replicas, so an append waits for 2 at most"
        ));
    return with;
}

}  // namespace pulsewire::shell::nats
