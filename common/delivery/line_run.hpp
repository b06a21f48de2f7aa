#pragma once

// The lines that the subscribers of a channel get in one turn of the loop, joined once for all of them. A
// queue holds a reference to the run and is not touched again while it grows; it grows until the first queue
// begins to write it.

#include "common/delivery/compressor.hpp"
#include "common/delivery/event_text_source.hpp"
#include "common/delivery/framing.hpp"
#include "common/exchange/message.hpp"

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pulsewire::delivery {

class line_run {
public:
    // Of lines as they are, each after `prefix`, a literal.
    explicit line_run(std::string_view prefix = {}) : prefix_(prefix) {}
    // Of events with a cursor.
    explicit line_run(std::unique_ptr<shared_event_texts> events) : events_(std::move(events)) {}

    // Precondition: not sealed.
    void append(const hub::message_ptr& m);
    // The run is going to be written: it grows no more.
    void seal() { sealed_ = true; }
    bool sealed() const { return sealed_; }

    const std::string& text() const { return text_; }
    std::span<const hub::message_ptr> messages() const { return messages_; }
    // The text as a whole WebSocket message with its header, compressed where a compressor is given. Made for
    // the first who asks, and valid as long as the run. Precondition: sealed.
    const shared_bytes& websocket_message(compressor* with);

private:
    std::string_view prefix_;
    std::unique_ptr<shared_event_texts> events_;  // null: lines
    std::string text_;
    std::vector<hub::message_ptr> messages_;
    shared_bytes message_, compressed_message_;
    bool sealed_ = false;
};

}  // namespace pulsewire::delivery
