#pragma once

// A command that waits for an observer's word, or behind one that does.

#include "common/exchange/to_observer.hpp"
#include "common/protocol/codes.hpp"
#include "common/protocol/command.hpp"

#include <cstddef>
#include <cstdint>
#include <string>

namespace pulsewire::hub {

class waiting_command {
public:
    explicit waiting_command(const command& c);
    // The views of the command point into the object.
    waiting_command(const waiting_command&) = delete;
    waiting_command& operator=(const waiting_command&) = delete;

    const command& what() const { return command_; }
    std::size_t bytes() const { return texts_.size(); }

    std::uint64_t number = 0;  // of the question that is not answered yet; 0: none
    observer_index asked = 0;  // the observer of that question
    std::int64_t due_ms = 0;   // monotonic time at which it counts as refused
    error_code refused = error_code::none;
    std::string reason;  // of the refusal, for people

private:
    std::string texts_;
    command command_;
};

}  // namespace pulsewire::hub
