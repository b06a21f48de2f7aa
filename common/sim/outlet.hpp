#pragma once

// The server's end of one connection: the real queue, and a reader that finds the messages in the bytes that
// leave it, as a client would.

#include "common/delivery/outbound.hpp"
#include "common/exchange/address.hpp"
#include "common/protocol/codes.hpp"
#include "common/protocol/websocket_reader.hpp"
#include "common/session/session.hpp"
#include "common/sim/written_lines.hpp"

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace pulsewire::sim {

struct outlet {
    outlet(delivery::storage& of, hub::connection_ref to, hub::face speaks);

    // Bytes have left, and are used up. Calls `whole` with the lines of each message that is complete now.
    void leave(std::string& bytes, const std::function<void(std::string_view lines)>& whole);

    delivery::outbound queue;
    written_lines lines;
    hub::connection_ref who;
    std::deque<std::string> unread;   // messages of the client's that wait for room
    std::optional<close_code> ends;   // when all is written
    std::int64_t rests_until_ms = 0;  // nothing is read before
    std::int64_t blocked_since_ms = 0;
    bool is_blocked = false;
    bool blocked_before = false;
    bool is_due = false;            // to be written at the end of this turn
    bool is_collected_for = false;  // the fan-out has lines for it

private:
    std::optional<websocket::reader> reader_;  // none: events
    std::string partly_;                       // of an event
};

}  // namespace pulsewire::sim
