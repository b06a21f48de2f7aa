#pragma once

// The raw text of a message (protocol 10.1), made once in a turn for all plain connections that get the
// message. Each of them gets all messages of the turn in a row, so keeping the last text alone would make
// most of them anew for each.

#include "common/delivery/framing.hpp"
#include "common/exchange/message.hpp"

#include <string>
#include <string_view>
#include <unordered_map>

namespace pulsewire::shell {

class plain_texts {
public:
    // What `text_of` makes of the message's payload, and bytes as they are; its caller passes the same
    // function each time. What is returned keeps the message alive, because its meaning is still needed where
    // the text waits in a queue.
    delivery::shared_bytes of(const hub::message_ptr& m, std::string (*text_of)(std::string_view payload));
    // The turn has ended.
    void forget() { texts_.clear(); }

private:
    std::unordered_map<const hub::message*, delivery::shared_bytes> texts_;
};

}  // namespace pulsewire::shell
