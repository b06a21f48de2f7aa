#include "server/feed/mapping.hpp"

#include "common/base/sha256.hpp"
#include "common/protocol/command.hpp"
#include "common/protocol/json_scan.hpp"
#include "common/protocol/names.hpp"
#include "server/feed/json_part.hpp"
#include "server/identity/base64url.hpp"
#include "server/log.hpp"

#include <optional>
#include <utility>

namespace pulsewire::shell::feed {
namespace {

constexpr std::size_t name_bytes_max = 32;

failure<std::string> wrong(const consume_settings& of, std::string_view member, std::string_view what) {
    return failure(std::string("consume \"")
                       .append(log::printable(of.name))
                       .append("\": ")
                       .append(member)
                       .append(" ")
                       .append(what));
}

// A namespace carries permissions: the record must not choose it.
bool has_fixed_namespace(const text_template& channel, std::string_view text) {
    const bool names_one = text.find(':') != text.npos;
    return !names_one || channel.beginning().find(':') != std::string_view::npos;
}

// Keys have few characters and 64 bytes; what another system uses as a key may have any. Equal texts have
// equal hashes.
std::string as_key(std::string text) {
    if (is_key(text)) return text;
    const auto hash = sha256(text);
    return identity::to_base64url({reinterpret_cast<const char*>(hash.data()), hash.size()});
}

}  // namespace

result<mapping, std::string> mapping::read(const consume_settings& of, std::uint32_t payload_bytes_max) {
    if (!is_name(of.name, 1, name_bytes_max, token_characters))
        return wrong(of, "name", "must be 1 to 32 letters, digits, '-' and '_'");
    if (of.from.empty())
        return wrong(of, "from", "must name the stream, the subject, the topic or the queue");
    mapping made;
    made.feed_ = of.name;
    made.payload_bytes_max_ = payload_bytes_max;
    const auto take = [&](std::string_view text, text_template& into) -> std::optional<std::string> {
        auto read = text_template::read(text);
        if (!read) return std::string(read.error());
        into = std::move(*read);
        return std::nullopt;
    };
    if (const auto fault = take(of.channel, made.channel_)) return wrong(of, "channel", *fault);
    if (const auto fault = take(of.type, made.type_)) return wrong(of, "type", *fault);
    if (const auto fault = take(of.key, made.key_)) return wrong(of, "key", *fault);
    if (of.channel.empty()) return wrong(of, "channel", "is missing, for example \"orders:{key}\"");
    if (!has_fixed_namespace(made.channel_, of.channel))
        return wrong(
            of, "channel", "must have its namespace, up to the first ':', before the first of its {…}"
        );
    if (!made.channel_.has_holes() && !is_channel(of.channel))
        return wrong(of, "channel", "is not the name of a channel (docs/protocol.md 1.2)");
    if (of.type.empty()) return wrong(of, "type", "is missing, for example \"order.changed\"");
    if (!made.type_.has_holes() && !is_type(of.type))
        return wrong(of, "type", "is not the name of a type (docs/protocol.md 1.3)");
    if (!is_json_pointer(of.payload))
        return wrong(of, "payload", "must be a JSON pointer, for example \"/data\", or empty");
    made.payload_ = of.payload;
    return made;
}

result<publication, std::string> mapping::publication_of(const record& from) const {
    if (!from.fault.empty()) return failure(from.fault);
    std::size_t stopped_at = 0;
    if (!is_json(from.value, json_depth_max, stopped_at))
        return failure(
            "the record is not JSON, or is nested too deeply: reading stopped at byte " +
            std::to_string(stopped_at)
        );
    publication made;
    auto channel = channel_.fill(from, text_template::values::as_part_of_channel);
    if (!channel) return failure("no channel: " + channel.error());
    if (!is_channel(*channel)) return failure("no channel: the name would be " + log::printable(*channel));
    auto type = type_.fill(from, text_template::values::as_they_are);
    if (!type) return failure("no type: " + type.error());
    if (!is_type(*type)) return failure("no type: the name would be " + log::printable(*type));
    auto key = key_.fill(from, text_template::values::as_they_are);
    if (!key) return failure("no key: " + key.error());
    made.channel = std::move(*channel);
    made.type = std::move(*type);
    made.key = as_key(key->empty() ? feed_ + ':' + from.position : std::move(*key));

    const auto part = part_of(from.value, payload_);
    if (!part) return failure("no payload: the record has nothing at " + log::printable(payload_));
    if (part->size() > payload_bytes_max_) return failure("the payload is larger than message_bytes_max");
    // The reader of the HTTP API, so that the same payloads are good here and there.
    std::string scratch;
    const std::string body = std::string("{\"payload\":").append(*part).append("}");
    const auto command = read_publish_body(body, scratch);
    if (!command) return failure(command.error().message);
    made.payload = command->payload;
    return made;
}

}  // namespace pulsewire::shell::feed
