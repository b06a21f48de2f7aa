#pragma once

// The two ports between the halves of the hub. A value for the own shard is handled at once, a value for
// another shard leaves in the output; neither half knows which of the two happens. The values that come with
// every publish and subscribe have a function of their own, so that no variant is made of them on the own
// shard.

#include "common/exchange/instant.hpp"
#include "common/exchange/to_channel.hpp"
#include "common/exchange/to_session.hpp"

namespace pulsewire::hub {

// Leads to the owner of the channel that a value names.
class channel_port {
public:
    // The quick way for a publish: its views are copied only when the channel belongs to another shard.
    virtual void publish(const publish_view& p, instant now) = 0;
    virtual void change(channel_change&& value, instant now) = 0;
    virtual void read(channel_read&& value, instant now) = 0;
    virtual void read(attach&& value, instant now) = 0;
    virtual void read(detach&& value, instant now) = 0;

protected:
    ~channel_port() = default;
};

// Leads to the channels of the shared log. It never refers to a session: answers go out by a session_port.
class log_port : public channel_port {
public:
    // The answer to a request of another node's client (is_foreign()).
    virtual void answer(reply&& value, instant now) = 0;

protected:
    ~log_port() = default;
};

// Leads to the sessions of a shard.
class session_port {
public:
    virtual void post(shard_index to, to_session&& value, instant now) = 0;
    virtual void post(shard_index to, attached&& value, instant now) = 0;
    virtual void post(shard_index to, deliver&& value, instant now) = 0;
    virtual void post(shard_index to, reply&& value, instant now) = 0;

protected:
    ~session_port() = default;
};

}  // namespace pulsewire::hub
