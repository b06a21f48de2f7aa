#include "server/broker/kafka/address.hpp"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <optional>
#include <utility>

namespace pulsewire::shell::kafka {
namespace {

constexpr std::uint16_t usual_port = 9092;
constexpr std::uint32_t partitions_max = 4'096;
constexpr std::uint32_t replicas_max = 16;
constexpr std::string_view mechanisms[] = {"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"};

std::optional<std::uint32_t> count_of(std::string_view text, std::uint32_t max) {
    std::uint32_t count = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
    const bool is_whole = error == std::errc{} && end == text.data() + text.size();
    return is_whole && count >= 1 && count <= max ? std::optional(count) : std::nullopt;
}

// Sets one option; the error is the rest of a sentence about the address, empty where all is well.
std::string set_option(address& found, const std::string& name, const std::string& value) {
    if (name == "partitions" || name == "replicas") {
        const bool is_replicas = name == "replicas";
        const auto count = count_of(value, is_replicas ? replicas_max : partitions_max);
        if (!count) {
            return "has an option " + name + " that is no number from 1 to " +
                   std::to_string(is_replicas ? replicas_max : partitions_max);
        }
        (is_replicas ? found.replicas : found.partitions) = *count;
        return {};
    }
    if (name == "sasl") {
        found.mechanism = value;
        const bool is_known =
            std::find(std::begin(mechanisms), std::end(mechanisms), value) != std::end(mechanisms);
        return is_known ? "" : "has an option sasl that is not PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512";
    }
    if (name != "certificate" && name != "key") {
        return "has an option that Kafka has not: there are partitions, replicas, sasl, certificate and key";
    }
    if (!found.tls) return "has a " + name + ", which is for TLS: write kafkas://";
    (name == "key" ? found.key_file : found.certificate_file) = value;
    return {};
}

}  // namespace

result<address, std::string> read_address(std::string_view url) {
    auto read = read_broker_url(url, usual_port);
    if (!read) return failure(read.error());
    if (read->scheme != "kafka" && read->scheme != "kafkas")
        return wrong_address("does not begin with kafka:// or kafkas://");
    address found;
    found.tls = read->scheme == "kafkas";
    found.mechanism = found.tls ? "PLAIN" : "SCRAM-SHA-512";
    found.hosts = std::move(read->hosts);
    found.user = std::move(read->user);
    found.password = std::move(read->password);
    if (found.user.empty() != found.password.empty())
        return wrong_address("has a user without a password, or a password without a user");
    found.topic = std::move(read->path);
    if (!found.topic.empty() && !is_topic_name(found.topic)) {
        return wrong_address(
            "has a path that is no name of a topic: up to 249 letters, digits, dots, underscores and hyphens"
        );
    }
    for (const auto& [name, value] : read->options)
        if (const auto fault = set_option(found, name, value); !fault.empty()) return wrong_address(fault);
    if (found.certificate_file.empty() != found.key_file.empty())
        return wrong_address("has a certificate without its key, or a key without its certificate");
    return found;
}

bool is_topic_name(std::string_view name) {
    constexpr std::size_t bytes_max = 249;
    constexpr std::string_view allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    return !name.empty() && name.size() <= bytes_max && name != "." && name != ".." &&
           name.find_first_not_of(allowed) == name.npos;
}

std::string text_of(const std::vector<endpoint>& hosts) {
    std::string text;
    for (const auto& each : hosts) text.append(text.empty() ? "" : ",").append(shell::text_of(each));
    return text;
}

}  // namespace pulsewire::shell::kafka
