#pragma once

// The handlers that a program has registered, with the types of messages erased.

#include "common/message/payload_error.hpp"
#include "server/app/contexts.hpp"

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace pulsewire::shell {

// Reads the payload and handles it, or returns the reason why it does not fit.
using publish_handler =
    std::function<std::optional<payload_error>(std::string_view payload, publish_context& c)>;
// The JSON of the answer, or the reason why there is none.
using request_outcome = std::variant<std::string, payload_error, rejection>;
using request_handler = std::function<request_outcome(std::string_view payload, request_context& c)>;

struct handlers {
    struct for_channels {
        std::string prefix;  // of the channel's name; empty: all channels
        publish_handler handle;
    };
    struct for_subscriptions {
        std::string prefix;
        std::function<void(subscription_event&)> handle;
    };

    std::vector<std::function<void(connection&)>> on_connect, on_disconnect;
    std::vector<for_subscriptions> on_subscribe;
    std::map<std::string, std::vector<for_channels>, std::less<>> publishes;  // by message type
    std::map<std::string, request_handler, std::less<>> requests;             // by message type
};

}  // namespace pulsewire::shell
