// The HTTP API: publishing, history and presence for backends and curl (protocol section 11).

#include "common/exchange/message.hpp"
#include "common/protocol/command.hpp"
#include "common/protocol/json_scan.hpp"
#include "common/protocol/line_writer.hpp"
#include "common/protocol/websocket_handshake.hpp"
#include "server/endpoint/endpoints.hpp"
#include "server/endpoint/http_conversation.hpp"
#include "server/http/text.hpp"
#include "server/shard/shard.hpp"

#include <chrono>

namespace pulsewire::shell {
namespace {

int status_of(error_code code) {
    switch (code) {
        case error_code::unauthorized:
            return 401;
        case error_code::forbidden:
            return 403;
        case error_code::key_reused:
        case error_code::stale_snapshot:
        case error_code::conflict:
            return 409;
        case error_code::too_large:
            return 413;
        case error_code::rate_limited:
            return 429;
        case error_code::overloaded:
        case error_code::broker_unavailable:
        case error_code::storage_failed:
        case error_code::storage_full:
        case error_code::state_full:
            return 503;
        case error_code::internal:
        case error_code::handler_failed:
            return 500;
        default:
            return 400;
    }
}

response from_error(const hub::message& m) {
    return error_response(status_of(m.code), m.code, unescaped(m.text()), unescaped(m.pointer()), m.offset);
}

// A transient message has no position.
void add_channel_and_position(line_writer& json, const hub::message& m, std::string_view channel) {
    json.name("channel", channel);
    if (!m.epoch().empty()) json.name("epoch", m.epoch()).number("offset", m.offset);
}

response json_answer(std::string body) {
    response r;
    r.body = std::move(body);
    r.add("Cache-Control", "no-store");
    return r;
}

// An optional number in the query; false when it is there and wrong, after which the request is answered.
bool read_number(
    http_conversation& c, std::string_view name, std::uint64_t least, std::uint64_t& into, bool& there
) {
    const std::string text = c.asked().parameter(name);
    there = !text.empty();
    if (!there) return true;
    const auto number = parse_number(text);
    if (number && *number >= least && *number <= id_max) {
        into = *number;
        return true;
    }
    const std::string rule = std::string(name) + " must be a whole number from " + std::to_string(least);
    c.answer(error_response(400, error_code::invalid_frame, rule));
    return false;
}

bool is_bytes(const request& asked) {
    const std::string_view type = asked.field("Content-Type");
    return same_ignoring_case(websocket::trimmed(type.substr(0, type.find(';'))), "application/octet-stream");
}

// The members of a publish whose payload is the body itself stand in the query (11.1).
std::string members_of_query(const request& asked) {
    std::string json;
    line_writer members(json);
    for (const std::string_view name : {"type", "key", "conflate", "user", "epoch"})
        if (const std::string value = asked.parameter(name); !value.empty()) members.text(name, value);
    if (const std::string value = asked.parameter("transient"); value == "true" || value == "false")
        members.flag("transient", value == "true");
    else if (!value.empty())
        members.text("transient", value);
    // A number goes in as it is; what is none is named there.
    if (const std::string value = asked.parameter("if_offset"); parse_number(value))
        members.json("if_offset", value);
    else if (!value.empty())
        members.text("if_offset", value);
    members.json("payload", "0").end();
    return json;
}

}  // namespace

void api_publish(http_conversation& c, std::string channel) {
    std::string scratch;
    const bool bytes = is_bytes(c.asked());
    const std::string members = bytes ? members_of_query(c.asked()) : std::string();
    auto read = read_publish_body(bytes ? std::string_view(members) : c.body(), scratch);
    if (read && bytes) {
        read->payload = c.body();
        read->binary = true;
    }
    const std::size_t size = bytes || !read ? c.body().size() : size_of(c.body(), *read);
    if (size > c.settings().bounds.message_bytes_max)
        return c.answer(
            error_response(413, error_code::too_large, "the body is larger than message_bytes_max")
        );
    if (!read)
        return c.answer(error_response(400, read.error().code, read.error().message, read.error().pointer));
    read->channel = channel;
    const auto started = std::chrono::steady_clock::now();
    c.ask_hub(*read, [&own_shard = c.own_shard(), channel, started](const hub::message& m) {
        if (m.kind == hub::message_kind::error) return from_error(m);
        own_shard.metrics().publish.observe(
            std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count()
        );
        std::string body;
        line_writer json(body);
        add_channel_and_position(json, m, channel);
        json.end();
        return json_answer(body + '\n');
    });
}

void api_history(http_conversation& c, std::string channel) {
    command ask;
    ask.op = command_op::history;
    ask.channel = channel;
    bool has_limit = false;
    if (!read_number(c, "limit", 1, ask.limit, has_limit)) return;
    if (!read_number(c, "offset", 0, ask.offset, ask.has_offset)) return;
    if (!read_number(c, "time", 0, ask.time, ask.has_time)) return;
    const std::string backwards = c.asked().parameter("backwards", "false");
    if (backwards != "true" && backwards != "false")
        return c.answer(error_response(400, error_code::invalid_frame, "backwards must be true or false"));
    ask.backwards = backwards == "true";
    c.ask_hub(ask, [channel](const hub::message& m) {
        if (m.kind == hub::message_kind::error) return from_error(m);
        std::string body;
        line_writer json(body);
        add_channel_and_position(json, m, channel);
        json.flag("more", m.more);
        if (m.missed) json.flag("missed", true);
        body.append(",\"messages\":").append(m.payload()).append("}\n");
        return json_answer(std::move(body));
    });
}

void api_presence(http_conversation& c, std::string channel) {
    command ask;
    ask.op = command_op::presence;
    ask.channel = channel;
    const std::string after = c.asked().parameter("after", "");
    ask.after = after;
    c.ask_hub(ask, [channel](const hub::message& m) {
        if (m.kind == hub::message_kind::error) return from_error(m);
        std::string body;
        line_writer json(body);
        json.name("channel", channel);
        if (m.more) json.flag("more", true);
        body.append(",\"members\":").append(m.payload()).append("}\n");
        return json_answer(std::move(body));
    });
}

}  // namespace pulsewire::shell
