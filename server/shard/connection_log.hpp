#pragma once

// The line of the log about the end of a connection: at debug, and in the format json, where it is what other
// servers call the access log, at info.

#include "server/base/address.hpp"
#include "server/shard/conversation.hpp"
#include "server/shard/ending.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace pulsewire::shell {

// Who a connection was for, as far as that is known.
struct connection_owner {
    address client;    // behind a trusted proxy, as that one says
    std::string user;  // as on the wire; empty: unknown
};

struct ended_connection {
    std::string_view name;  // unique in the process: "0.4294967297"
    transport kind = transport::http;
    ending end;
    const connection_owner& owner;
    std::int64_t milliseconds = 0;  // since it was accepted
    std::uint64_t bytes_in = 0;     // as the kernel counts them, with TLS
    std::uint64_t bytes_out = 0;
    std::uint64_t left_out = 0;  // ends before this one that a bound kept out of the log
};

// Whether such a line is written at all.
bool logs_ends();
// Whether a bound for the lines holds: not at debug, which is for looking at single connections.
bool bounds_ends();
void log_ended(const ended_connection& c);

}  // namespace pulsewire::shell
