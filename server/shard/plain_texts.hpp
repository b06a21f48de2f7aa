#pragma once

// The raw text of a message (protocol 10.1), made once for all plain connections that get the message in a
// row.

#include "common/delivery/framing.hpp"
#include "common/exchange/message.hpp"

#include <string>
#include <string_view>

namespace pulsewire::shell {

class plain_texts {
public:
    // What `text_of` makes of the message's payload; its caller passes the same function each time. The bytes
    // keep the message alive, because its meaning is still needed where the text waits in a queue.
    delivery::shared_bytes of(const hub::message_ptr& m, std::string (*text_of)(std::string_view payload));
    // Lets go of the last message: no other connection gets it in this turn.
    void forget();

private:
    hub::message_ptr from_;  // what text_ was made of
    delivery::shared_bytes text_;
};

}  // namespace pulsewire::shell
