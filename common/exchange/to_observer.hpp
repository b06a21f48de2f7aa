#pragma once

// The values that go to observers of a node: the handlers of a C++ program are one.

#include "common/exchange/address.hpp"
#include "common/exchange/to_channel.hpp"
#include "common/protocol/operations.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

namespace pulsewire::hub {

// A place in the list config::observers.
using observer_index = std::size_t;

// The events that an observer wants.
struct interests {
    bool connections = false;
    bool subscriptions = false;
    // Every publish of a client, and every request to the server, goes to the first observer that wants it.
    // That observer passes it on, refuses it or answers it.
    bool publishes = false;
    bool requests = false;
    // A command that takes one of these operations is carried out only with the consent of every observer
    // that names it here. With `where_asked`, only in namespaces that name it in their options, too.
    operations authorizes = {};
    bool where_asked = false;
};

struct connected {
    connection_ref who;
    std::string session;
    std::string user;  // by the server's word, as everywhere here; empty: unknown
};

struct disconnected {
    connection_ref who;
    std::string session;
    std::string user;
};

struct client_subscribed {
    connection_ref who;
    std::string session;
    std::string channel;
    std::string user;
};

inline constexpr std::string_view undeclared_type = "this namespace takes declared types only";

struct client_publish {
    std::string session;
    publish what;  // not yet in the channel: the observer passes it on to the owner, or refuses it
    bool declared_only = false;  // a type that the observer does not know is refused with undeclared_type
};

struct client_request {
    connection_ref from;
    std::uint64_t id = 0;
    std::string session;
    std::string type;
    std::string payload;
    std::uint32_t timeout_ms = 0;
    std::string user;
    bool binary = false;  // the payload is bytes, not JSON
};

// A client wants to do something on a channel. The command waits until the observer posts `authorized` with
// the number back to the connection's shard.
struct authorize {
    connection_ref who;
    std::uint64_t number = 0;
    operations wants;  // all that the command takes
    std::string channel;
    std::string session;
    std::string user;
    std::string type;  // of a publish or a request; empty: it has none
};

using to_observer =
    std::variant<connected, disconnected, client_subscribed, client_publish, client_request, authorize>;

}  // namespace pulsewire::hub
