// Reading a client's frame, held against nlohmann_json: what both read says the same, and what nlohmann_json
// reads as a frame that keeps to the protocol's rules is a command.

#include "common/base/base64.hpp"
#include "common/protocol/command.hpp"
#include "common/protocol/json_scan.hpp"
#include "common/protocol/names.hpp"
#include "fuzz/fuzz.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace pulsewire::fuzz {
namespace {

using nlohmann::json;

constexpr std::pair<const char*, std::string_view command::*> texts[] = {
    {"session", &command::session}, {"client", &command::client},     {"channel", &command::channel},
    {"type", &command::type},       {"key", &command::key},           {"epoch", &command::epoch},
    {"to", &command::to},           {"conflate", &command::conflate}, {"code", &command::code},
    {"message", &command::message},
};
constexpr std::pair<const char*, std::uint64_t command::*> numbers[] = {
    {"id", &command::id},           {"version", &command::version}, {"offset", &command::offset},
    {"latest", &command::latest},   {"limit", &command::limit},     {"timeout_ms", &command::timeout_ms},
    {"request", &command::request}, {"time", &command::time},
};
constexpr std::pair<const char*, bool command::*> flags[] = {
    {"presence", &command::presence},
    {"echo", &command::echo},
    {"transient", &command::transient},
    {"backwards", &command::backwards},
};

// A member that a publish over HTTP has, too.
bool in_body(std::string_view name) {
    return name == "type" || name == "key" || name == "conflate" || name == "transient";
}

// nlohmann_json takes a byte order mark and ends at a NUL byte; numbers that no double holds and lone
// surrogates are no JSON for it.
bool reads_alike(std::string_view text) {
    return text.find('\0') == std::string_view::npos && !text.starts_with("\xef\xbb\xbf");
}
bool refused_by_json_alone(std::string_view text) {
    try {
        return json::parse(text).is_discarded();
    } catch (const json::out_of_range&) {
        return true;
    } catch (const json::exception&) {
        return text.find("\\ud") != text.npos || text.find("\\uD") != text.npos;
    }
}

// Whether each member is named once and without escapes: only then is it plain which one counts.
bool plain_members(std::string_view text) {
    std::vector<std::string_view> names;
    json_scan scan(text);
    for_each_member(scan, json_depth_max, [&](std::string_view name, std::string_view) {
        names.push_back(name);
        return name.find('\\') == name.npos;
    });
    std::sort(names.begin(), names.end());
    return std::adjacent_find(names.begin(), names.end()) == names.end() &&
           std::none_of(names.begin(), names.end(), [](auto name) { return name.find('\\') != name.npos; });
}

// Of `connect`, `binary` says something else.
bool is_bytes(const command& c) {
    return c.binary && c.op != command_op::connect;
}

void agrees(const command& c, const json& frame, bool body) {
    command missing;  // what its members are when the frame has none
    if (body) missing.type = "message";
    for (const auto& [name, member] : texts)
        if (!body || in_body(name)) require(c.*member == frame.value(name, missing.*member), name);
    for (const auto& [name, member] : flags)
        if (!body || in_body(name)) require(c.*member == frame.value(name, missing.*member), name);
    for (const auto& [name, member] : numbers)
        if (!body) require(c.*member == frame.value(name, missing.*member), name);
    require(c.has_payload() == frame.contains("payload") || c.op == command_op::connect, "payload");
    if (is_bytes(c)) return require(to_base64(c.payload) == frame["payload"], "bytes have one spelling");
    if (!c.payload.empty()) require(json::parse(c.payload) == frame["payload"], "payload");
}

void keeps_the_rules(const command& c) {
    require(c.channel.empty() || is_channel(c.channel), "a channel has the name of one");
    require(c.type.empty() || is_type(c.type), "a type has the name of one");
    require(c.key.empty() || is_key(c.key), "a key is one");
    require(c.conflate.empty() || is_key(c.conflate), "a conflation key is a key");
    require(c.epoch.empty() || is_epoch(c.epoch), "an epoch is one");
    for (const auto& [name, member] : numbers) require(c.*member <= id_max, name);
    if (is_bytes(c)) return;
    require(c.payload.find_first_of("\r\n") == std::string_view::npos, "a payload is one line");
    std::size_t stopped_at = 0;
    require(c.payload.empty() || is_json(c.payload, json_depth_max, stopped_at), "a payload is JSON");
}

}  // namespace

// As the session half reads it (docs/protocol.md 2.5): whatever stands there, frames cover all of it, and a
// payload is the bytes that its line counts.
void read_binary_message(std::string_view message) {
    std::string scratch;
    while (!message.empty()) {
        const std::string_view line = message.substr(0, message.find('\n'));
        message.remove_prefix(std::min(message.size(), line.size() + 1));
        const auto bytes = bytes_behind(line);
        if (!bytes) continue;
        const std::string_view behind = message.substr(0, *bytes);
        message.remove_prefix(behind.size());
        const auto read = read_command(line, scratch, behind);
        if (!read) continue;
        require(
            read->binary && read->payload == behind && behind.size() == *bytes, "the bytes are the payload"
        );
        const json frame = json::parse(line, nullptr, false);
        require(frame.is_discarded() || frame["bytes"] == *bytes, "the count is a member of the frame");
    }
}

void test_one_input(std::string_view input) {
    read_binary_message(input);
    std::string scratch;
    const json frame = json::parse(input, nullptr, false);
    for (const bool body : {false, true}) {
        const auto read = body ? read_publish_body(input, scratch) : read_command(input, scratch);
        if (read) keeps_the_rules(*read);
        if (!reads_alike(input)) continue;
        if (frame.is_discarded()) {
            require(!read || refused_by_json_alone(input), "what is read is JSON");
            continue;
        }
        std::size_t stopped_at = 0;
        const bool shallow = is_json(input, json_depth_max, stopped_at);
        if (!read) require((read.error().code == error_code::malformed_json) == !shallow, "JSON is JSON");
        if (read && plain_members(input)) agrees(*read, frame, body);
        if (read && !body && plain_members(input))
            for (std::size_t part = 1; part <= 4; ++part) {
                const auto id = id_of_partial_frame(input.substr(0, input.size() * part / 4));
                require(id == 0 || id == read->id, "a beginning has the frame's id or none");
            }
    }
    id_of_partial_frame(input);
}

}  // namespace pulsewire::fuzz
