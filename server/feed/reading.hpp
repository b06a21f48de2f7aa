#pragma once

// One time of reading from a broker, from connecting to the first failure: what each broker's adapter fills.
// It does not come back; to begin another one is the business of source.hpp. Adapters are in folders below,
// and make_source.cpp alone knows them.

#include "server/feed/record.hpp"

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

namespace pulsewire::shell::feed {

// Of all readings of one group the adapter sees to it that one reads at a time, and that it begins with what
// was given to others before and not acknowledged, in the broker's order.
//
// All calls are made on the thread of the loop, and all functions are called on it.
class reading {
public:
    struct listener {
        std::function<void(record&&)> on_record;
        // The place of bad records has it, and the broker does not give it again. The reason why that place
        // did not take it, or empty.
        std::function<void(ticket, std::string refused)> on_buried;
        // This is the one that reads.
        std::function<void()> on_reading;
        // The broker answers, but another one reads. May be called again and again.
        std::function<void()> on_waiting;
        // The broker does not answer, or not well. Gets a sentence without a password and without its end.
        // The last call; the reading is destroyed later.
        std::function<void(std::string reason)> on_lost;
    };

    reading() = default;
    // Calls no function any more.
    virtual ~reading() = default;
    reading(const reading&) = delete;
    reading& operator=(const reading&) = delete;

    // At most so many records may be given until the next call.
    virtual void set_room(std::size_t records) = 0;
    // Numbers that another reading gave do nothing.
    virtual void acknowledge(ticket number) = 0;
    // Precondition: there is a place for bad records.
    virtual void bury(const record& bad, const std::string& reason) = 0;
    // Gives nothing more, lets another one read at once where the broker can be told so, and calls `done`
    // when it knows.
    virtual void release(std::function<void()> done) = 0;
};

}  // namespace pulsewire::shell::feed
