#pragma once

// The parts of a channel's log that readers get: the start of a subscription (docs/protocol.md 4.4,
// 4.5), and pages of history (4.14).

#include "common/channel/channel_log.hpp"
#include "common/exchange/to_channel.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pulsewire::hub {

// The position at which a new subscription starts, and the publications that it gets first.
struct starting_point {
    std::uint64_t offset = 0;
    std::vector<message_ptr> replay;
    std::string_view lost;  // the reason why recovery failed; empty: it succeeded or was not wanted
};
// `oldest_ms` is the wall clock time of the oldest publication that may be recovered without reading history.
starting_point start_of(
    const channel_log& log, const attach& m, std::size_t recovery_max, std::int64_t oldest_ms
);

// A page of history; `more` when further publications follow in its direction, `missed` when some between the
// place that was asked for and the page are not kept any more.
struct history_page {
    std::vector<message_ptr> publications;
    bool more = false;
    bool missed = false;
};
history_page page_of(const channel_log& log, const query& q);

// The publications as they were sent, in a JSON array.
std::string json_array(const std::vector<message_ptr>& messages);

}  // namespace pulsewire::hub
