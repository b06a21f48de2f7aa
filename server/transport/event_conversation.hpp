#pragma once

// The common part of both event streams, GET /sse and GET /events: nothing that the peer sends on the stream
// has a meaning, and its end is an event like any other.

#include "common/exchange/message.hpp"
#include "server/shard/connection.hpp"
#include "server/shard/conversation.hpp"

#include <span>
#include <string_view>

namespace pulsewire::shell {

class shard;

class event_conversation : public conversation {
public:
    void on_bytes(std::span<char>) final {}
    void on_end() final { owner_.drop(); }
    void on_deadline() final {}
    void on_overflow() final;
    void on_lost() override;
    void on_close(close_code code, std::string_view reason) final;

protected:
    // Both outlive the conversation.
    event_conversation(transport kind, connection& owner, shard& own_shard);

    connection& owner() const { return owner_; }
    shard& own_shard() const { return shard_; }
    // Sends the reason as the last event, and then ends the connection.
    void end_with(close_code code, std::string_view reason);

private:
    // Queues the hub's close message as an event.
    virtual void push_close(const hub::message_ptr& close) = 0;

    connection& owner_;
    shard& shard_;
};

}  // namespace pulsewire::shell
