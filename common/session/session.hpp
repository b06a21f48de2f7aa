#pragma once

// The state that the hub keeps for one connection and its session.

#include "common/access/principal.hpp"
#include "common/session/waiting_command.hpp"

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

namespace pulsewire::hub {

// The way a connection speaks. All faces get the same messages; the shell formats them.
enum class face : std::uint8_t {
    protocol,         // frames both ways over WebSocket: pinged, and closed when silent
    protocol_stream,  // frames over SSE, the client's half by POST: pinged, expected to answer when it says
                      // so
    plain_websocket,  // raw text: pinged by control frames, does not get its own messages (10.1)
    event_stream,     // EventSource: pinged by events
    api,              // one HTTP request: never pinged
};

struct subscription;

struct request_in_flight {
    std::uint64_t id = 0;
    std::uint32_t timeout_ms = 0;
    std::int64_t due_ms = 0;
    std::string channel;  // to a client of this channel; empty: to the server
};

// A request of another client that this session has not answered yet. `number` is its number on this
// connection; `shard`, `connection` and `id` name the request of the asker.
struct question {
    std::uint64_t number = 0;
    std::uint16_t shard = 0;
    std::uint64_t connection = 0;
    std::uint64_t id = 0;
    std::int64_t due_ms = 0;
    std::string channel;
    std::uint64_t source = 0;  // of the asker
};

// Of a session that has shown a token.
struct credentials {
    access::principal_ptr who;    // null: no token was accepted yet
    std::int64_t ends_ms = 0;     // monotonic time after which the connection is closed
    std::uint64_t verifying = 0;  // the number of the verification on its way; 0: none. No line is carried
                                  // out until then.
    std::uint64_t id = 0;         // of the command that waits for it
};

// Commands in the order in which they came; never empty.
struct waiting_commands {
    std::deque<std::unique_ptr<waiting_command>> commands;
};

struct session {
    // Null: unknown.
    const access::principal* who() const { return shown ? shown->who.get() : nullptr; }
    std::string_view user() const { return who() ? std::string_view(who()->user) : std::string_view(); }

    std::uint64_t connection = 0;
    face speaks = face::protocol;
    bool welcome = false;                       // connect was accepted
    bool pinged = false;                        // a ping is unanswered
    bool pongs = false;                         // connect said that pings are answered over SSE, too
    bool binary = false;                        // ... and that binary messages are understood
    std::string name;                           // public_name() of the client's session
    std::string secret;                         // names the connection for POST
    std::unique_ptr<credentials> shown;         // null: no token was shown
    std::unique_ptr<waiting_commands> waiting;  // for authorizations; null: none
    std::uint64_t source = 0;  // a number for the address where it comes from; 0: many may share it
    std::int64_t opened_ms = 0;
    std::int64_t heard_ms = 0;       // monotonic time of the last sign of life of the client
    std::int64_t sent_ms = 0;        // ... of the last message sent
    std::int64_t credit_at_ms = 0;   // commands_per_second: last refill, by the clock of credit.hpp
    std::int64_t credit = 0;         // in thousandths of a command
    std::int64_t answer_credit = 0;  // in bytes; below 0 it is a debt
    bool can_rest = false;           // its lines can wait in the shell
    std::uint64_t refused_id = 0;    // refused for lack of credit; see is_behind_refused()
    std::int64_t refuses_until_ms = 0;
    std::uint32_t refused = 0;                 // commands refused for lack of credit since the last rest
    std::uint32_t rests = 0;                   // in a row
    std::int64_t rests_until_ms = 0;           // until then nothing more of it is carried out
    std::uint32_t awaited_answers = 0;         // weight of the answers that owners are making
    std::vector<subscription*> subscriptions;  // owned by the subscriber_table
    std::vector<request_in_flight> requests;
    std::vector<question> questions;
    std::uint64_t last_question = 0;
};

}  // namespace pulsewire::hub
