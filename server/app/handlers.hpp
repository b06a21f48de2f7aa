#pragma once

// The handlers that a program has registered, with the types of messages erased.

#include "common/base/payload_error.hpp"
#include "common/base/result.hpp"
#include "server/app/contexts.hpp"

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

// The sentences about a handler that cannot be called, as those of common/message/require.hpp.
namespace pulsewire::detail {

template <class Handler, class M>
constexpr bool require_publish_handler() {
    constexpr bool can_be_called = std::is_invocable_v<Handler&, const M&, publish_context&>;
    static_assert(
        can_be_called,
        "this handler cannot be called: write it as [](const message& m, pulsewire::publish_context& c) { "
        "... }"
    );
    return can_be_called;
}

template <class Handler, class Request, class Response>
constexpr bool require_request_handler() {
    constexpr bool can_be_called = std::is_invocable_v<Handler&, const Request&, request_context&>;
    static_assert(
        can_be_called,
        "this handler cannot be called: write it as [](const request& r, pulsewire::request_context& c) { "
        "return "
        "the answer; }"
    );
    if constexpr (can_be_called) {
        using returned = std::invoke_result_t<Handler&, const Request&, request_context&>;
        constexpr bool gives_an_answer = std::is_convertible_v<returned, Response> ||
                                         std::is_convertible_v<returned, result<Response, rejection>>;
        static_assert(
            gives_an_answer,
            "this handler gives no answer: it must return the response type of handle<request, response>, or "
            "a "
            "result<response, rejection>"
        );
        return gives_an_answer;
    } else {
        return false;
    }
}

}  // namespace pulsewire::detail

namespace pulsewire::shell {

// As the client sent it: JSON, or bytes.
struct payload_view {
    std::string_view text;
    bool binary = false;

    std::span<const std::byte> bytes() const { return std::as_bytes(std::span(text)); }
    // Why it is not of the kind that a handler takes; nothing where it is.
    std::optional<payload_error> unless(bool wanted_binary, std::string_view type) const;
};

// Reads the payload and handles it, or returns the reason why it does not fit.
using publish_handler = std::function<std::optional<payload_error>(payload_view payload, publish_context& c)>;
// The JSON of an answer, or its bytes.
struct answer_payload {
    std::string text;
    bool binary = false;
};
// The answer, or the reason why there is none.
using request_outcome = std::variant<answer_payload, payload_error, rejection>;
using request_handler = std::function<request_outcome(payload_view payload, request_context& c)>;

struct handlers {
    struct for_channels {
        std::string prefix;  // of the channel's name; empty: all channels
        publish_handler handle;
    };
    struct for_subscriptions {
        std::string prefix;
        std::function<void(subscription_event&)> handle;
    };

    struct for_permissions {
        std::string prefix;
        operations what;
        std::function<authorization(const authorization_request&)> decide;
    };

    std::vector<std::function<void(connection&)>> on_connect, on_disconnect;
    std::vector<for_subscriptions> on_subscribe;
    std::vector<for_permissions> authorizes;
    std::map<std::string, std::vector<for_channels>, std::less<>> publishes;  // by message type
    std::map<std::string, request_handler, std::less<>> requests;             // by message type
};

}  // namespace pulsewire::shell
