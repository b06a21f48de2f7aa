#pragma once

// What a node and the broker's adapter tell each other about the log of one partition: the whole port that a
// broker has to fill. Values in both directions, so that the reference in memory and the adapters of
// the server are driven alike.
//
// A broker is asked for four things: all readers see the records of a log in one order; a prefix of it
// survives (it may lose its tail, never its middle); a loss breaks every connection to that log, and nothing
// that was sent into a broken connection reaches the log after the loss; positions can be read again. An
// adapter, and the library that it is made of, never sends a record again by itself.

#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>

namespace pulsewire::cluster {

using partition_index = std::uint32_t;

// The bytes that a record may have at most. All brokers take as much in their default configuration.
inline constexpr std::size_t record_bytes_max = std::size_t{256} << 10;

// Where a record stands in a broker's log: in the broker's own numbers (an id of a Redis stream, an offset),
// which grow along the log and may have holes. {0, 0} stands before every record.
struct mark {
    std::uint64_t high = 0;
    std::uint64_t low = 0;

    friend auto operator<=>(const mark&, const mark&) = default;
};

// Numbers the connections of one node to the log of one partition: what was said on an older one is void.
using log_connection = std::uint64_t;

// --- to the broker ---

// A new connection, instead of the one before. The adapter answers with `opened` or `closed`, then with each
// record from `from` on, the record at `from` included: its reader compares it with what it knows. {0, 0}:
// from the first that is still there.
struct open_log {
    log_connection connection = 0;
    mark from;
};

// A record behind those that were appended before on this connection. Answered with `appended`, or with
// `closed`.
struct append_record {
    log_connection connection = 0;
    std::string bytes;  // 1 to record_bytes_max, any bytes
};

// Records before this one are needed by nobody. The broker may keep them; it removes none behind.
struct trim_log {
    log_connection connection = 0;
    mark before;
};

// No more of this connection is wanted. Not answered.
struct close_log {
    log_connection connection = 0;
};

struct to_broker {
    partition_index partition = 0;
    std::variant<open_log, append_record, trim_log, close_log> what;
};

// --- from the broker ---

// The connection stands. What the log held when it was opened, and which incarnation of the broker answers.
struct opened {
    log_connection connection = 0;
    mark first;  // {0, 0}: the log is empty
    mark last;
    // Another text after every restart and failover in which the broker may have lost a record; absent where
    // it does not say.
    std::optional<std::string> incarnation;
};

// The next record of the log.
struct record_read {
    log_connection connection = 0;
    mark at;
    std::string bytes;
};

// That many more of the appended records are in the log, in the order in which they were appended, kept as
// well as the adapter's settings ask for.
struct appended {
    log_connection connection = 0;
    std::uint32_t records = 0;
};

// The connection has ended: nothing more comes on it, and what was appended without an answer may be in the
// log or not.
struct closed {
    log_connection connection = 0;
    std::string reason;  // one sentence for the log of the server, without a secret
};

struct from_broker {
    partition_index partition = 0;
    std::variant<opened, record_read, appended, closed> what;
};

}  // namespace pulsewire::cluster
