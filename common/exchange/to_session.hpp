#pragma once

// The values that go to the shard of a connection, or of a channel's subscribers.

#include "common/access/principal.hpp"
#include "common/exchange/address.hpp"
#include "common/exchange/message.hpp"
#include "common/exchange/to_channel.hpp"
#include "common/protocol/codes.hpp"

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace pulsewire::hub {

// The weights of answers that owners are making: a text is made for each answer, a replay is a list of
// references. When the answers awaited by a connection weigh awaited_answers_max or more, no more lines of it
// are carried out (hub::receive).
inline constexpr std::uint8_t text_weight = 8;
inline constexpr std::uint8_t replay_weight = 1;
inline constexpr std::uint32_t awaited_answers_max = 8;

// The answer to an attach.
struct attached {
    connection_ref to;
    std::uint64_t token = 0;
    std::string channel;
    message_ptr subscribed;
    std::vector<message_ptr> members;  // empty unless the attach wanted presence
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

// A message to all subscribers of the channel on the shard; presence events go to those that want them.
struct deliver {
    message_ptr what;
};

// A message to one connection; `ends_request` is the id of the request that it answers, 0 for none.
struct reply {
    connection_ref to;
    message_ptr what;
    std::uint64_t ends_request = 0;
    std::uint8_t weight = 0;  // of the query that it answers
};

// A request of another client to the subscription with this token.
struct asked {
    ask request;
    std::uint64_t token = 0;
};

// The request `id` of the connection `from` is withdrawn, if a subscriber of
// the channel on this shard has it.
struct withdrawn {
    connection_ref from;
    std::uint64_t id = 0;
    std::string channel;
};

// The application ends a connection.
struct disconnect {
    connection_ref to;
    close_code code = close_code::normal;
    std::string reason;
};

// Tokens are worth nothing any more: those of a user, one, or all, if they were issued before a time. Sent to
// every shard.
struct revoke {
    std::string user;                   // empty: of every user
    std::string token_id;               // empty: every token
    std::int64_t issued_before_ms = 0;  // wall clock; a token that does not say when counts as old
    // Connections with such a token have so long to show a new one.
    std::uint32_t within_ms = 0;
    close_code code = close_code::token_expired;

    bool concerns(const access::principal& who) const {
        return (user.empty() || user == who.user) && (token_id.empty() || token_id == who.token_id) &&
               who.issued_ms < issued_before_ms;
    }
};

// An observer's word about the command with this number.
struct authorized {
    connection_ref to;
    std::uint64_t number = 0;
    error_code refused = error_code::none;  // none: it may be carried out
    std::string reason;                     // of a refusal, for people
};

// One connection, or each of a user, is asked to subscribe to the channel, unless it is subscribed or may
// not. For a user it is sent to every shard.
struct offer_channel {
    connection_ref to;
    std::string channel;
    std::string user = {};  // as on the wire; empty: `to`
};

// The subscription of one connection, or of each of a user, is ended; nothing happens where there is none.
// For a user it is sent to every shard.
struct end_subscription {
    connection_ref to;
    std::string channel;
    std::string user = {};  // as on the wire; empty: `to`
};

// One of the shard's subscribers that may is asked for a snapshot of the channel (protocol 4.29).
struct snapshot_wanted {
    std::string channel;
};

// Whether the partitions of a shard go on. Sent to every shard when it changes.
struct standing {
    shard_index of = 0;
    bool is_degraded = false;
};

using to_session = std::variant<
    attached, attach_refused, deliver, reply, asked, withdrawn, disconnect, revoke, authorized, offer_channel,
    end_subscription, snapshot_wanted, standing>;

}  // namespace pulsewire::hub
