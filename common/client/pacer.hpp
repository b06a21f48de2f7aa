#pragma once

// Keeps the commands of one connection within the rate that the server allows (docs/protocol.md 4.20), so
// that none is refused and what waited for a connection leaves in its order.

#include "common/client/reconnect.hpp"

#include <algorithm>
#include <cstdint>

namespace pulsewire::client {

class pacer {
public:
    // A connection begins. 0: the server has no limit, or does not tell it.
    void begin(std::uint32_t commands_per_second, time_ms now) {
        rate_ = commands_per_second;
        credit_ = credit_max() - command;  // `connect` was one
        at_ = now;
    }

    // Pays for so many commands; false when they must wait until ready_at().
    bool take(std::uint32_t commands, time_ms now) {
        if (rate_ == 0) return true;
        earn(now);
        if (credit_ < price(commands)) return false;
        credit_ -= price(commands);
        return true;
    }
    // The time at which that many commands can be paid, if none is before; not earlier than `now`.
    time_ms ready_at(std::uint32_t commands, time_ms now) const {
        const std::int64_t missing = price(commands) - credit_;
        if (rate_ == 0 || missing <= 0) return now;
        return std::max(now, at_ + (missing + earned_per_ms() - 1) / earned_per_ms());
    }
    // The server has refused a command: it counts otherwise than we do.
    void spend_all(time_ms now) {
        earn(now);
        credit_ = std::min<std::int64_t>(credit_, 0);
    }

private:
    // In millionths of a command. A tenth of what the server allows is left for pings and for the
    // unsteadiness of the network.
    static constexpr std::int64_t command = 1'000'000;
    std::int64_t earned_per_ms() const { return std::int64_t{rate_} * 900; }
    std::int64_t credit_max() const { return earned_per_ms() * 2'000; }
    // Nothing costs more than a second's commands.
    std::int64_t price(std::uint32_t commands) const { return std::min(commands, rate_) * command; }
    void earn(time_ms now) {
        credit_ = std::min(credit_ + std::max<time_ms>(0, now - at_) * earned_per_ms(), credit_max());
        at_ = now;
    }

    std::uint32_t rate_ = 0;
    std::int64_t credit_ = 0;
    time_ms at_ = 0;
};

}  // namespace pulsewire::client
