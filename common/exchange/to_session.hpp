#pragma once

// The values that go to the shard of a connection, or of a channel's subscribers.

#include "common/exchange/address.hpp"
#include "common/exchange/message.hpp"
#include "common/exchange/to_channel.hpp"
#include "common/protocol/codes.hpp"

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace pulsewire::hub {

// What answers weigh while an owner makes them: texts are made anew for each, replays are references. A
// connection whose answers weigh the most is not read on (hub::receive).
inline constexpr std::uint8_t text_weight = 8;
inline constexpr std::uint8_t replay_weight = 1;
inline constexpr std::uint32_t awaited_answers_max = 8;

// The answer to an attach.
struct attached {
    connection_ref to;
    std::uint64_t token = 0;
    std::string channel;
    message_ptr subscribed;
    message_ptr members;  // null unless presence was wanted
    std::vector<message_ptr> replay;
    std::uint8_t weight = 0;  // of its attach
};

struct attach_refused {
    connection_ref to;
    std::uint64_t token = 0;
    std::string channel;
    message_ptr error;
    std::uint8_t weight = 0;
};

// To all subscribers that the shard has for the channel (presence events: to those who want them).
struct deliver {
    message_ptr what;
};

// To one connection; `ends_request` names the request that is hereby answered, 0 for none.
struct reply {
    connection_ref to;
    message_ptr what;
    std::uint64_t ends_request = 0;
    std::uint8_t weight = 0;  // of the query that is hereby answered
};

// A request of another client, to the subscription of that token.
struct asked {
    ask request;
    std::uint64_t token = 0;
};

// The request of that number and connection is withdrawn, if one of the channel's subscribers here has it.
struct withdrawn {
    connection_ref from;
    std::uint64_t id = 0;
    std::string channel;
};

// Ends a connection on the application's wish.
struct disconnect {
    connection_ref to;
    close_code code = close_code::normal;
    std::string reason;
};

using to_session = std::variant<attached, attach_refused, deliver, reply, asked, withdrawn, disconnect>;

}  // namespace pulsewire::hub
