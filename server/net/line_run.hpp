#pragma once

// The lines that the subscribers of a channel get in one turn of the loop, joined once for all of them. A
// queue holds a reference to the run and is not touched again while it grows; it grows until the first queue
// begins to write it.

#include "common/exchange/message.hpp"
#include "server/net/compression.hpp"

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace pulsewire::shell {

class line_run {
public:
    // Appends what a message is written as.
    using writer = std::function<void(const hub::message& m, std::string& text)>;

    explicit line_run(writer write) : write_(std::move(write)) {}

    // Precondition: not sealed.
    void append(const hub::message_ptr& m);
    // What it says is going to be written: it grows no more.
    void seal() { sealed_ = true; }
    bool sealed() const { return sealed_; }

    const std::string& text() const { return text_; }
    std::span<const hub::message_ptr> messages() const { return messages_; }
    // The text as a whole WebSocket message with its header, compressed where a compressor is given. Made for
    // the first who asks, and valid as long as the run. Precondition: sealed.
    const std::shared_ptr<const std::string>& websocket_message(deflater* compressor);

private:
    writer write_;
    std::string text_;
    std::vector<hub::message_ptr> messages_;
    std::shared_ptr<const std::string> message_, compressed_message_;
    bool sealed_ = false;
};

}  // namespace pulsewire::shell
