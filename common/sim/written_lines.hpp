#pragma once

// The lines that the hub has sent on one connection, compared with those that leave the connection's queue
// (P1, P2, and protocol 5.4): the lines of a channel come in their order, and answers in theirs; only what a
// policy allows is left out; each gap is told before the next publication of its channel; and of publications
// that replace each other the newest comes.

#include "common/delivery/framing.hpp"
#include "common/exchange/message.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace pulsewire::sim {

class written_lines {
public:
    void sent(const hub::message_ptr& m, delivery::counts how);
    // A line has left as a whole. Returns what is wrong with it; empty: nothing.
    std::string left(std::string_view line);
    // Nothing waits any more. Returns what is missing; empty: nothing.
    std::string drained();
    // The connection is too slow: what waits may be left out, up to its last words.
    void gives_up() { gives_up_ = true; }

    // Bytes of lines that have not left.
    std::size_t waiting(delivery::counts how) const;
    // ... of live ones that no policy allows to leave out.
    std::size_t waiting_to_stay() const;

private:
    struct entry {
        hub::message_ptr what;
        delivery::counts how;
    };
    struct place {
        std::uint64_t position = 0;  // what the peer knows
        std::uint64_t sent = 0;      // the newest that the hub has sent, before what still waits
        slow_consumer policy = slow_consumer::disconnect;
    };

    using place_in_queue = std::deque<entry>::const_iterator;

    std::string gap(std::string_view line);
    // It does not come.
    std::string skipped(place_in_queue e);
    std::string came(const entry& e);
    bool is_replaced(place_in_queue older) const;
    void forget(std::string_view channel);

    std::deque<entry> waiting_;
    std::map<std::string, place, std::less<>> places_;  // by channel that is subscribed
    bool gives_up_ = false;
};

}  // namespace pulsewire::sim
