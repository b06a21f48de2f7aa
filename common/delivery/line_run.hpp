#pragma once

// The lines that the subscribers of a channel get in one turn of the loop, joined once for all of them. A
// queue holds a reference to the run and is not touched again while it grows; it grows until the first queue
// begins to write it.

#include "common/delivery/compressor.hpp"
#include "common/delivery/event_text_source.hpp"
#include "common/delivery/framing.hpp"
#include "common/exchange/message.hpp"

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace pulsewire::delivery {

class line_run {
public:
    // Of lines as this framing has them.
    explicit line_run(framing how) : how_(how) {}
    // Of events with a cursor.
    explicit line_run(std::unique_ptr<shared_event_texts> events)
        : events_(std::move(events)), how_(framing::cursor_events) {}

    // Precondition: not sealed.
    void append(const hub::message_ptr& m);
    // The run is going to be written: it grows no more.
    void seal() { sealed_ = true; }
    bool sealed() const { return sealed_; }

    framing framed_as() const { return how_; }
    // Whether one of its messages has a payload of bytes that is sent as such.
    bool is_binary() const { return binary_; }
    // As an event stream has them these are whole events but for the end of the last one.
    const std::string& text() const { return text_; }
    std::span<const hub::message_ptr> messages() const { return messages_; }
    // The text as a whole WebSocket message with its header, compressed where a compressor is given, or as
    // several of at most joined_bytes_max. Made for the first who asks, and valid as long as the run.
    // Precondition: sealed.
    const shared_bytes& websocket_message(compressor* with);

private:
    void end_message_at(std::size_t end);

    std::unique_ptr<shared_event_texts> events_;  // null: lines
    framing how_;
    bool binary_ = false;
    std::string text_;
    std::vector<std::size_t> ends_;  // in the text, of the messages or events before the last one
    std::vector<hub::message_ptr> messages_;
    shared_bytes message_, compressed_message_;
    bool sealed_ = false;
};

}  // namespace pulsewire::delivery
