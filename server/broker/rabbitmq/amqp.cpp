#include "server/broker/rabbitmq/amqp.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <vector>

namespace pulsewire::shell::rabbitmq {
namespace {

constexpr std::size_t method_bytes_max = 4'096;
// Type, channel and size stand before a frame's payload, and one byte stands after it.
constexpr std::size_t frame_head = 7;
constexpr std::size_t frame_rest = frame_head + 1;

template <class Number>
void append_number(std::string& to, Number number) {
    for (std::size_t i = sizeof number; i > 0; --i)
        to += static_cast<char>(static_cast<std::uint64_t>(number) >> (8 * (i - 1)));
}

void append_frame(std::string& to, std::uint8_t type, amqp_channel_t channel, std::string_view payload) {
    append_number(to, type);
    append_number(to, channel);
    append_number(to, static_cast<std::uint32_t>(payload.size()));
    to.append(payload);
    append_number(to, static_cast<std::uint8_t>(AMQP_FRAME_END));
}

// The library's answer is a count of bytes, or an error.
std::size_t encoded_bytes(int answer) {
    if (answer < 0) throw std::logic_error("a frame of AMQP is larger than its bound");
    return static_cast<std::size_t>(answer);
}

}  // namespace

std::string_view text_of(const amqp_bytes_t& bytes) {
    return {static_cast<const char*>(bytes.bytes), bytes.len};
}

amqp_bytes_t bytes_of(std::string_view text) {
    return {text.size(), const_cast<char*>(text.data())};
}

amqp_table_entry_t text_entry(const char* name, std::string_view value) {
    amqp_table_entry_t entry{amqp_cstring_bytes(name), {}};
    entry.value.kind = AMQP_FIELD_KIND_UTF8;
    entry.value.value.bytes = bytes_of(value);
    return entry;
}

amqp_table_entry_t number_entry(const char* name, std::int64_t value) {
    amqp_table_entry_t entry{amqp_cstring_bytes(name), {}};
    entry.value.kind = AMQP_FIELD_KIND_I64;
    entry.value.value.i64 = value;
    return entry;
}

amqp_table_entry_t flag_entry(const char* name, bool value) {
    amqp_table_entry_t entry{amqp_cstring_bytes(name), {}};
    entry.value.kind = AMQP_FIELD_KIND_BOOLEAN;
    entry.value.value.boolean = value ? 1 : 0;
    return entry;
}

amqp_table_t table_of(std::span<amqp_table_entry_t> entries) {
    return {static_cast<int>(entries.size()), entries.data()};
}

void append_method(std::string& to, amqp_channel_t channel, amqp_method_number_t id, void* method) {
    std::array<char, method_bytes_max> bytes;
    std::string payload;
    append_number(payload, static_cast<std::uint32_t>(id));
    const auto size = encoded_bytes(amqp_encode_method(id, method, {bytes.size(), bytes.data()}));
    append_frame(to, AMQP_FRAME_METHOD, channel, payload.append(bytes.data(), size));
}

void append_heartbeat(std::string& to) {
    append_frame(to, AMQP_FRAME_HEARTBEAT, 0, {});
}

void append_message(
    std::string& to, amqp_channel_t channel, const message& what, std::size_t frame_bytes_max
) {
    amqp_basic_publish_t method{};
    method.exchange = bytes_of(what.exchange);
    method.routing_key = bytes_of(what.queue);
    method.mandatory = 1;
    append_method(to, channel, AMQP_BASIC_PUBLISH_METHOD, &method);

    amqp_basic_properties_t properties{};
    properties._flags = AMQP_BASIC_DELIVERY_MODE_FLAG;
    properties.delivery_mode = AMQP_DELIVERY_PERSISTENT;
    if (!what.id.empty()) {
        properties._flags |= AMQP_BASIC_MESSAGE_ID_FLAG;
        properties.message_id = bytes_of(what.id);
    }
    if (!what.content_type.empty()) {
        properties._flags |= AMQP_BASIC_CONTENT_TYPE_FLAG;
        properties.content_type = bytes_of(what.content_type);
    }
    std::vector<amqp_table_entry_t> headers;
    for (const auto& [name, value] : what.headers) {
        headers.push_back(text_entry("", value));
        headers.back().key = bytes_of(name);
    }
    if (!headers.empty()) {
        properties._flags |= AMQP_BASIC_HEADERS_FLAG;
        properties.headers = table_of(headers);
    }
    std::array<char, method_bytes_max> bytes;
    const auto size =
        encoded_bytes(amqp_encode_properties(AMQP_BASIC_CLASS, &properties, {bytes.size(), bytes.data()}));
    std::string header;
    append_number(header, static_cast<std::uint16_t>(AMQP_BASIC_CLASS));
    append_number(header, std::uint16_t{0});
    append_number(header, static_cast<std::uint64_t>(what.body.size()));
    append_frame(to, AMQP_FRAME_HEADER, channel, header.append(bytes.data(), size));

    for (std::size_t at = 0; at < what.body.size(); at += frame_bytes_max - frame_rest)
        append_frame(to, AMQP_FRAME_BODY, channel, what.body.substr(at, frame_bytes_max - frame_rest));
}

frame_reader::frame_reader() : state_(amqp_new_connection()) {
    if (!state_) throw std::bad_alloc();
}

void frame_reader::set_frame_bytes_max(std::size_t bytes) {
    amqp_tune_connection(state_.get(), 0, static_cast<int>(bytes), 0);
}

bool frame_reader::next(std::span<char>& bytes, amqp_frame_t& frame) {
    // The library keeps what it has decoded until it is told.
    amqp_maybe_release_buffers_on_channel(state_.get(), last_);
    frame.frame_type = 0;
    while (!bytes.empty() && frame.frame_type == 0) {
        const int taken = amqp_handle_input(state_.get(), {bytes.size(), bytes.data()}, &frame);
        if (taken < 0) return false;
        bytes = bytes.subspan(static_cast<std::size_t>(taken));
    }
    if (frame.frame_type != 0) last_ = frame.channel;
    return true;
}

}  // namespace pulsewire::shell::rabbitmq
