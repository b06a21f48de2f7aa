#include "server/forward/mapping.hpp"

#include "common/access/pattern.hpp"
#include "common/base/base64.hpp"
#include "common/base/sha256.hpp"
#include "common/protocol/line_writer.hpp"
#include "common/protocol/names.hpp"
#include "server/broker/url.hpp"
#include "server/identity/base64url.hpp"
#include "server/log.hpp"

#include <optional>
#include <utility>

namespace pulsewire::shell::forward {
namespace {

constexpr std::size_t name_bytes_max = 32;
// What RabbitMQ lets an id have.
constexpr std::size_t id_bytes_max = 255;

failure<std::string> wrong(const forward_settings& of, std::string_view member, std::string_view what) {
    return failure(std::string("forward \"")
                       .append(log::printable(of.name))
                       .append("\": ")
                       .append(member)
                       .append(" ")
                       .append(what));
}

std::string gap_text(const publication& gap) {
    std::string text;
    line_writer json(text);
    json.number("lost", gap.lost)
        .number("after", gap.offset - gap.lost)
        .number("before", gap.offset + 1)
        .end();
    return text;
}

// As a page of history has it, with the channel and its epoch.
std::string whole_text(const publication& what) {
    std::string text;
    line_writer json(text);
    json.name("type", what.type).name("channel", what.channel).name("epoch", what.epoch);
    json.number("offset", what.offset);
    if (what.time_ms > 0) json.number("time", static_cast<std::uint64_t>(what.time_ms));
    if (!what.user.empty()) json.text("user", what.user);
    if (what.is_bytes) {
        json.flag("binary", true);
        json.name("payload", to_base64(what.payload));
    } else {
        json.json("payload", what.payload);
    }
    json.end();
    return text;
}

}  // namespace

result<mapping, std::string> mapping::read(const forward_settings& of) {
    if (!is_name(of.name, 1, name_bytes_max, token_characters))
        return wrong(of, "name", "must be 1 to 32 letters, digits, '-' and '_'");
    if (of.from.empty()) return wrong(of, "from", "is missing, for example \"orders:**\"");
    if (const std::string_view fault = access::fault_of_pattern(of.from); !fault.empty())
        return wrong(of, "from", fault);
    std::string_view rest = of.from;
    const std::string_view first = access::take_segment(rest);
    // History and durability are a namespace's.
    if (first.starts_with('*') || of.from.find(access::own_name) != of.from.npos)
        return wrong(of, "from", "must begin with a namespace, for example \"orders:**\", and has no {user}");
    if (of.to.empty()) return wrong(of, "to", "must name the stream, the subject, the topic or the queue");
    if (of.value != "payload" && of.value != "message")
        return wrong(of, "value", "must be \"payload\" or \"message\"");
    mapping made;
    const auto take = [&](std::string_view text, name_template& into) -> std::optional<std::string> {
        auto read = name_template::read(text);
        if (!read) return std::string(read.error());
        into = std::move(*read);
        return std::nullopt;
    };
    if (const auto fault = take(of.to, made.to_)) return wrong(of, "to", *fault);
    if (const auto fault = take(of.key.empty() ? "{channel}" : of.key, made.key_))
        return wrong(of, "key", *fault);
    const std::string_view scheme = scheme_of(of.broker);
    if (scheme.starts_with("kafka")) made.names_ = alphabet::topic;
    if (scheme.starts_with("nats")) made.names_ = alphabet::subject;
    if (!of.exchange.empty() && !scheme.starts_with("rabbitmq"))
        return wrong(of, "exchange", "is for RabbitMQ alone");
    if (of.stream_length_max != 0 && !scheme.starts_with("redis"))
        return wrong(of, "stream_length_max", "is for Redis alone");
    // A batch is one transaction, whose keys are on one server.
    if (scheme.ends_with("-cluster") && made.to_.has_holes())
        return wrong(of, "to", "must be one stream in a cluster of Redis, without a {…}");
    made.is_whole_ = of.value == "message";
    return made;
}

record mapping::record_of(publication&& what) const {
    record made;
    if (what.lost != 0) {
        what.type = gap_type;
        what.payload = gap_text(what);
    }
    made.to = to_.fill(what, names_);
    made.key = key_.fill(what, alphabet::any);
    made.id = what.channel + '@' + what.epoch + ':' + std::to_string(what.offset);
    if (what.lost != 0) made.id += "-gap";
    if (made.id.size() > id_bytes_max) {
        const auto hash = sha256(made.id);
        made.id = identity::to_base64url({reinterpret_cast<const char*>(hash.data()), hash.size()});
    }
    made.content_type = what.is_bytes && !is_whole_ ? "application/octet-stream" : "application/json";
    made.headers = {
        {"pulsewire-channel", what.channel},
        {"pulsewire-epoch", what.epoch},
        {"pulsewire-offset", std::to_string(what.offset)},
        {"pulsewire-type", what.type},
        {"pulsewire-time", std::to_string(what.time_ms)}};
    if (!what.user.empty()) made.headers.emplace_back("pulsewire-user", what.user);
    if (what.lost != 0) made.headers.emplace_back("pulsewire-lost", std::to_string(what.lost));
    made.value = is_whole_ ? whole_text(what) : std::move(what.payload);
    return made;
}

}  // namespace pulsewire::shell::forward
