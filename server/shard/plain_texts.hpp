#pragma once

// The raw text of a message (protocol 10.1), made once for all plain connections that get the message in a
// row.

#include "common/hub/message.hpp"
#include "server/net/outbound.hpp"

#include <string>
#include <string_view>

namespace pulsewire::shell {

class plain_texts {
public:
    // What `text_of` makes of the message's payload; its caller passes the same function each time. The bytes
    // keep the message alive, because its meaning is still needed where the text waits in a queue.
    shared_bytes of(const hub::message_ptr& m, std::string (*text_of)(std::string_view payload));
    // Lets go of the last message: no other connection gets it in this turn.
    void forget();

private:
    hub::message_ptr from_;  // what text_ was made of
    shared_bytes text_;
};

}  // namespace pulsewire::shell
