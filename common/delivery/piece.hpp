#pragma once

// One entry of a queue: a reference to shared bytes, and what is known of them.

#include "common/delivery/framing.hpp"
#include "common/delivery/line_run.hpp"
#include "common/exchange/message.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace pulsewire::delivery {

struct piece {
    shared_bytes body;                      // null: dropped, or written
    const hub::message* message = nullptr;  // that `body` says, and keeps alive
    line_run* run = nullptr;                // `body` is the text of this run
    std::array<char, 14> prefix;
    std::uint8_t prefix_size = 0;
    bool grows = false;       // the run is not sealed by this queue, and not counted
    bool ends_event = false;  // a newline follows the body
    bool binary = false;      // the body has a payload of bytes, so it leaves in a binary message
    bool is_held = false;     // `body` counts in the storage's waiting_memory
    counts how = counts::as_live;

    // Whether it may leave the queue by this policy.
    bool may_leave(slow_consumer policy) const {
        return body != nullptr && message != nullptr && how == counts::as_live &&
               message->when_slow == policy;
    }
    // Whether its payload of bytes has to become base64 before it is framed.
    bool wants_text(framing how) const { return message != nullptr && message->binary && is_text(how); }
    bool is_binary() const { return run != nullptr ? run->is_binary() : binary; }
    std::string_view text() const { return body == nullptr ? std::string_view() : *body; }
    std::size_t lines() const { return run == nullptr ? 1 : run->messages().size(); }
    // The bytes it counts for; a text that still grows counts only when it is settled.
    std::size_t counted() const { return grows ? 0 : text().size(); }
    std::size_t size() const {
        return body == nullptr ? 0 : prefix_size + text().size() + (ends_event ? 1 : 0);
    }
    void set_prefix(std::string_view bytes) {
        prefix_size = static_cast<std::uint8_t>(std::min(bytes.size(), prefix.size()));
        std::copy_n(bytes.begin(), prefix_size, prefix.begin());
    }
};

}  // namespace pulsewire::delivery
