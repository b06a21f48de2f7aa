#pragma once

// The logic of one feed that consumes: which records are on their way, which may be acknowledged to the
// broker, and when a refused one is tried again. Sans-I/O: events and the time come in, actions come out.
//
// The publications of one channel are sent one by one, so that a refused one is not overtaken by the next and
// the channel has the broker's order. Those of different channels do not wait for each other.

#include "common/protocol/codes.hpp"
#include "server/feed/mapping.hpp"
#include "server/feed/record.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace pulsewire::shell::feed {

// Records of one feed that were read and have no outcome; beyond, nothing more is read.
inline constexpr std::size_t in_flight_max = 256;
// The wait after a refusal that passes, which doubles with each further one until something is accepted.
inline constexpr std::int64_t retry_ms_min = 50;
inline constexpr std::int64_t retry_ms_max = 5'000;

// Whether the same publish may be accepted later. Anything else is the record's own fault.
bool passes(error_code refused);

class consumer {
public:
    struct publish {
        ticket number = 0;
        publication what;
    };
    // The broker needs to give the record to nobody any more.
    struct acknowledge {
        ticket number = 0;
    };
    // The record goes to the place of bad ones. The source acknowledges it then, and calls buried().
    struct bury {
        ticket number = 0;
        std::string reason;
    };
    using action = std::variant<publish, acknowledge, bury>;

    // The records that may come now.
    std::size_t room() const { return in_flight_max - std::min(in_flight_max, records_.size()); }
    std::size_t in_flight() const { return records_.size(); }

    void arrived(ticket number, result<publication, std::string> what);
    // The hub's word about a publish; none: it was accepted, and as safe as its namespace says. Words about
    // records that are not in flight (any more) do nothing.
    void answered(ticket number, error_code refused, std::string_view text, std::int64_t now_ms);
    void buried(ticket number) { records_.erase(number); }
    // The connection to the broker is gone. It gives again whatever was not acknowledged.
    void lost();
    // Publishes again what is due; to be called from time to time.
    void tick(std::int64_t now_ms);

    std::vector<action> take_actions() { return std::exchange(actions_, {}); }

private:
    void send(ticket number);
    void send_next_of(const std::string& channel);

    std::map<ticket, std::optional<publication>> records_;  // nothing: it is being buried
    std::map<std::string, std::deque<ticket>> by_channel_;  // in the broker's order; the first one is sent
    std::deque<ticket> held_;                               // first ones that wait for the end of the pause
    std::int64_t paused_until_ms_ = 0;
    std::int64_t pause_ms_ = 0;  // 0: nothing was refused since the last success
    std::vector<action> actions_;
};

}  // namespace pulsewire::shell::feed
