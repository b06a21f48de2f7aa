#pragma once

// The common part of both WebSocket connections: reading frames, closing as RFC 6455 section 7 asks, and the
// bounds on what a peer may do to us.

#include "common/protocol/command.hpp"
#include "common/protocol/websocket_reader.hpp"
#include "server/base/transfer_clock.hpp"
#include "server/shard/connection.hpp"
#include "server/shard/conversation.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace pulsewire::shell {

class shard;

class websocket_conversation : public conversation {
public:
    void on_bytes(std::span<char> bytes) final;
    void on_end() final;
    void on_deadline() final;
    void on_room() final;
    void on_overflow() final;
    void on_lost() final;
    void on_close(close_code code, std::string_view reason) final;

protected:
    // Both outlive the conversation.
    websocket_conversation(transport kind, connection& owner, shard& own_shard);
    // Compression was agreed on, in both directions.
    void allow_compression();

    connection& owner() const { return owner_; }
    shard& own_shard() const { return shard_; }
    bool closing() const { return closing_; }
    // The last words of protocol 7.1 where the connection speaks in frames, then a close frame.
    void end_with(close_code code, std::string_view reason);

private:
    // A whole message, or the rest of one; it lives during the call, and text is valid UTF-8. Returns how
    // many bytes of it are done: the rest comes again when there is room for more answers.
    virtual std::size_t on_data(std::string_view data, message_form form) = 0;
    // A message that was too large and skipped; `head` is its beginning.
    virtual void on_oversized(std::string_view head) = 0;
    // Says in the connection's own way that it ends.
    virtual void say_close(close_code code, std::string_view reason) = 0;

    // Input that is not carried out before there is room for its answers.
    struct unread {
        std::string rest;  // of a message
        message_form form = message_form::text;
        std::string bytes;  // frames that came after it
    };

    // `received`: bytes that have just come, not from what was left unread.
    void read(std::span<char> bytes, std::size_t received);
    void keep_unread(std::span<char> bytes);
    void take(std::string_view data, message_form form);
    void handle(const websocket::event& e);
    void handle_compressed(std::string_view payload, message_form form);
    void say_close_frame(std::uint16_t code, std::string_view reason);
    bool too_many_control_frames();
    void fail_with(close_code code, std::string_view reason);
    void watch_assembly(std::size_t received);

    connection& owner_;
    shard& shard_;
    websocket::reader reader_;
    std::unique_ptr<unread> unread_;  // null where nothing is left
    std::int64_t control_window_ms_ = 0;
    std::uint32_t control_frames_ = 0;  // in this second, whatever comes between them
    std::uint32_t assembling_ = 0;      // the message that is being read, as reader::begun() counts
    transfer_clock arrival_;            // of that message
    bool watching_ = false;             // its deadline runs
    bool closing_ = false;              // our close frame is queued; nothing follows it
};

}  // namespace pulsewire::shell
