#pragma once

// The publishes of clients about which the test decides, as the handlers of a C++ program do (server/app):
// each content of a key once, so that a repetition has no second effect.

#include "common/channel/idempotency_window.hpp"
#include "common/exchange/shard_message.hpp"
#include "common/exchange/to_observer.hpp"
#include "common/protocol/limits.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace pulsewire::test_server {

// The payload that the application gives: JSON, or base64 behind this character, which begins no JSON.
inline constexpr char before_base64 = '#';
struct given_payload {
    std::string text;
    bool binary = false;

    static given_payload from(std::string_view text);
};

class publish_gate {
public:
    enum class verdict : std::uint8_t { pass, drop, refuse };
    struct word {
        verdict what = verdict::pass;
        error_code code = error_code::none;  // of a refusal
        std::string text;                    // ... for people
        std::string type;                    // passed on: in place of the client's; empty: that one
        given_payload payload;               // passed on: in place of the client's; empty JSON: that one
    };

    publish_gate(const limits& bounds, const hash_key& secret)
        : seen_(bounds.idempotency_ms, bounds.idempotency_keys_max, secret) {}

    // What the hub is to receive for a publish that was decided before, or that nobody may decide. Nothing:
    // settle() is to be called with last_number().
    std::optional<hub::shard_message> judge(const hub::client_publish& asked, std::int64_t now_ms);
    std::uint64_t last_number() const { return last_number_; }
    // What the hub is to receive now; nothing when there is none of that number, or nobody waits for it.
    std::optional<hub::shard_message> settle(std::uint64_t number, word given, std::int64_t now_ms);

private:
    std::map<std::uint64_t, hub::publish> asked_;
    std::uint64_t last_number_ = 0;
    hub::idempotency_window seen_;
};

}  // namespace pulsewire::test_server
