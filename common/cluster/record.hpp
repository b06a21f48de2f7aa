#pragma once

// The records of a partition's log and their bytes. Integers are little-endian; a text is preceded by its
// length as a LEB128 number. The head is the same for all kinds:
//
//   "PW"  format u8  kind u8  process u64  connection u64  seq u64  base position u64  base chain 2 × u64
//   monotonic_ms i64  wall_ms i64
//
// A decoded record has views into the bytes that it was read from.

#include "common/base/keyed_hash.hpp"
#include "common/base/result.hpp"
#include "common/cluster/broker_port.hpp"
#include "common/exchange/instant.hpp"
#include "common/protocol/snapshot.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace pulsewire::cluster {

// The newest format that this program reads and the one that it writes.
inline constexpr std::uint8_t record_format = 1;
// The operations of one record; beyond: the record is not read.
inline constexpr std::size_t operations_max = 4096;
// The text in which a broker names its incarnation; beyond: it counts as not told.
inline constexpr std::size_t incarnation_bytes_max = 128;

class byte_writer;
class byte_reader;

// One life of a node's process in the log, drawn at its start and never 0.
using process_id = std::uint64_t;

// A place in the log: how many records stand before and at it, and the chained hash of all of them.
struct log_base {
    std::uint64_t position = 0;
    fingerprint chain;
    friend bool operator==(const log_base&, const log_base&) = default;
};

// Places in the log as they stand in records and images.
void write(byte_writer& w, const log_base& b);
void write(byte_writer& w, const mark& m);
log_base read_base(byte_reader& r);
mark read_mark(byte_reader& r);

// --- operations on channels ---

struct publish_op {
    std::string_view channel;
    std::string_view type;
    std::string_view key;       // empty: not remembered
    std::string_view user;      // of the publisher; empty: unknown
    std::string_view except;    // a session that must not show it; empty: none
    std::string_view conflate;  // what it is the latest of; empty: its type
    std::string_view payload;
    std::uint64_t content = 0;     // hash of the content published with the key, by shared_options::secret
    std::uint64_t publisher = 0;   // whose share of remembered keys the key counts against
    std::int64_t accepted_ms = 0;  // log time when its node took it over
    bool transient = false;        // gets no place in the channel and is not remembered
    bool binary = false;           // the payload is bytes, not JSON
    snapshot_view snapshot = {};
    std::optional<std::uint64_t> if_offset = {};  // as in hub::publish
    std::string_view if_epoch = {};
    // All of it as it is in the record that it was read from; empty in one that was not decoded.
    std::string_view encoded = {};
};

// A subscription lists its session in presence. The member is (session, process of the record, token).
struct join_op {
    std::string_view channel;
    std::string_view session;
    std::uint64_t token = 0;
    std::string_view info;       // the client's own word, JSON
    std::string_view user;       // the server's word; empty: unknown
    std::string_view user_info;  // what the token has to show, JSON; empty: nothing
    std::uint64_t source = 0;    // from where it came, as its node calls that; 0: many may share it
};

// The subscription of a join has ended.
struct part_op {
    std::string_view channel;
    std::string_view session;
    std::uint64_t token = 0;
};

// A word of one node to another, or to all of them. Nothing depends on what it says.
struct note_op {
    process_id to = 0;  // 0: to all, its own node included
    bool keep = false;  // for nodes that come later, too (shared_notes)
    std::string_view bytes;
};

using operation = std::variant<publish_op, join_op, part_op, note_op>;

// --- kinds of records ---

// The first record on each new connection.
struct hello {
    std::uint16_t level_max = 1;  // the highest behaviour that its node knows
    bool log_was_empty = false;   // when the connection was opened
    bool incarnation_told = false;
    std::string_view incarnation;  // of the broker
};
struct operations {
    std::vector<operation> all;
};
// Nothing but its head, and what its node's copy amounts to.
struct sign {
    std::uint64_t digest = 0;  // of the copy at the record's base
};
// Another process is gone: it counts only if the position is still that of its last record.
struct end {
    process_id who = 0;
    std::uint64_t last = 0;
};
// The process itself stops.
struct bye {};
// A piece of the image of the state at `at`.
struct image_chunk {
    log_base at;
    mark at_mark;  // of the record at that position
    std::uint32_t index = 0;
    std::uint32_t count = 1;
    std::string_view bytes;
    std::uint64_t digest = 0;  // of the state at `at`, as the writer's copy has it
};
// The options of the cluster: the first such record of the log counts, and no other.
struct options_record {
    std::string_view bytes;  // of shared_options
};
// All nodes behave as this level says from here on.
struct level_record {
    std::uint16_t level = 1;
};

using record_body =
    std::variant<hello, operations, sign, end, bye, image_chunk, options_record, level_record>;

struct record {
    process_id process = 0;
    log_connection connection = 0;
    std::uint64_t seq = 0;  // counts the records of one connection from 1
    log_base base;          // what its writer had read when it wrote this attempt
    hub::instant clock;     // of the writer
    record_body body;
};

enum class record_error : std::uint8_t {
    too_long,      // more than record_bytes_max
    foreign,       // not written by a node
    newer_format,  // by a newer program, in a format that this one does not know
    newer_kind,    // ... a kind or an operation
    cut_short,     // the bytes end before the record does
    too_much,      // bytes after the end of the record
    bad_value,     // a number, a name or a count out of its range
};
// A sentence for the server's log.
std::string_view sentence_of(record_error e);

// Precondition: the record has no more than operations_max operations and fits into record_bytes_max.
std::string encode(const record& r);
result<record, record_error> decode(std::string_view bytes);

// An operation alone, as it is inside of a record.
std::string encode(const operation& op);
// The channel of an encoded publish_op, without reading the rest.
std::string_view channel_of_publish(std::string_view bytes);
result<operation, record_error> decode_operation(std::string_view bytes);

// Head and operations whose bytes are already encoded: a record is made of the same operations for each
// attempt.
std::string encode_operations(const record& head, std::string_view encoded, std::size_t count);

}  // namespace pulsewire::cluster
