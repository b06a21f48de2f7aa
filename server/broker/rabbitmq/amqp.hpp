#pragma once

// Frames of AMQP 0-9-1 as bytes, in both directions. rabbitmq-c encodes and decodes them, of which nothing
// else is used: its own calls wait for the server.

#include "server/base/freed_by.hpp"

#include <amqp.h>
#include <amqp_framing.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace pulsewire::shell::rabbitmq {

// Before the server says otherwise.
inline constexpr std::size_t frame_bytes_usual = std::size_t{64} << 10;

// Views of what the library has, and the other way round. The library does not write into what it is given.
std::string_view text_of(const amqp_bytes_t& bytes);
amqp_bytes_t bytes_of(std::string_view text);
amqp_table_entry_t text_entry(const char* name, std::string_view value);
amqp_table_entry_t number_entry(const char* name, std::int64_t value);
amqp_table_entry_t flag_entry(const char* name, bool value);
// The entries outlive the table.
amqp_table_t table_of(std::span<amqp_table_entry_t> entries);

// The library's struct for the method's id.
template <class Method>
const Method& as(const amqp_method_t& method) {
    return *static_cast<const Method*>(method.decoded);
}

// `method` is the library's struct for `id`. Precondition: its encoding has at most 4 KB.
void append_method(std::string& to, amqp_channel_t channel, amqp_method_number_t id, void* method);
void append_heartbeat(std::string& to);

// A message to a queue, kept on disk by one that keeps, and returned by its server where there is no such
// queue. `id` is of the message, or empty.
struct message {
    std::string_view queue;  // or the routing key, where there is an exchange
    std::string_view id;
    std::string_view body;
    std::string_view exchange = {};
    std::string_view content_type = {};
    // 3 KB of names and values at most.
    std::span<const std::pair<std::string_view, std::string>> headers = {};
};
void append_message(
    std::string& to, amqp_channel_t channel, const message& what, std::size_t frame_bytes_max
);

// Bytes of a server, frame by frame.
class frame_reader {
public:
    frame_reader();

    // After the server's frame of that name was read.
    void set_frame_bytes_max(std::size_t bytes);

    // The first frame in `bytes`, which becomes what follows it; frame_type is 0 where more bytes are needed,
    // or the frame means nothing. False: what came is no AMQP. Views in the frame are good until the next
    // call.
    bool next(std::span<char>& bytes, amqp_frame_t& frame);

private:
    std::unique_ptr<amqp_connection_state_t_, freed_by<amqp_destroy_connection>> state_;
    amqp_channel_t last_ = 0;  // the channel of the frame before
};

}  // namespace pulsewire::shell::rabbitmq
