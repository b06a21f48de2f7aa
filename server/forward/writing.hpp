#pragma once

// One time of writing to a broker, from connecting to the first failure: what each broker's adapter fills. It
// does not come back; to begin another one is the business of target.hpp. Adapters are in folders below, and
// make_target.cpp alone knows them.

#include "server/forward/forwarder.hpp"
#include "server/forward/record.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace pulsewire::shell::forward {

// An adapter appends the records of one channel in their order, as far as it was given them, and after one
// that was not taken none of those that it was given later. An acknowledged record is as safe as the broker
// makes it.
//
// All calls are made on the thread of the loop, and all functions are called on it.
class writing {
public:
    struct listener {
        // Records may come.
        std::function<void()> on_ready;
        std::function<void(ticket)> on_acknowledged;
        // The destination never takes this one, and goes on with the others. Gets a part of a sentence.
        std::function<void(ticket, std::string why)> on_refused;
        // The broker does not answer, or not well; what was not acknowledged may be there or not. Gets a
        // sentence without a password and without its end. The last call; the writing is destroyed later.
        std::function<void(std::string reason)> on_lost;
    };

    writing() = default;
    // Calls no function any more.
    virtual ~writing() = default;
    writing(const writing&) = delete;
    writing& operator=(const writing&) = delete;

    // After on_ready alone.
    virtual void send(ticket number, record&& what) = 0;
};

}  // namespace pulsewire::shell::forward
