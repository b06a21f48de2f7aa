#pragma once

// Every bound of the protocol and the hub, with its name, unit, default and consequence (design promise P5).
// The shell's own bounds (HTTP heads, write queues, sockets) are in server/limits.hpp.

#include "common/protocol/operations.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace pulsewire::schema {
class types;
}

namespace pulsewire {

// Fixed by the protocol; both sides rely on them.
inline constexpr std::size_t channel_name_bytes_max = 255;         // beyond: invalid_channel
inline constexpr std::size_t type_name_bytes_max = 64;             // beyond: invalid_type
inline constexpr std::size_t session_bytes_min = 8;                // below: close 4501
inline constexpr std::size_t session_bytes_max = 64;               // beyond: close 4501
inline constexpr std::size_t key_bytes_max = 64;                   // beyond: invalid_frame
inline constexpr std::size_t epoch_bytes_max = 16;                 // beyond: invalid_frame
inline constexpr std::size_t user_bytes_max = 128;                 // beyond: the token is not valid
inline constexpr std::size_t token_bytes_max = 8 * 1024;           // beyond: too_large
inline constexpr std::size_t history_page_bytes_max = 128 * 1024;  // beyond: a shorter page, at least one
// The price of a history or presence query, as a number of commands of commands_per_second.
inline constexpr std::uint32_t commands_per_query = 10;
// The bytes of answers that a connection may have asked for with each command of commands_per_second.
inline constexpr std::uint32_t answer_bytes_per_command = 4 * 1024;
inline constexpr std::size_t presence_page_bytes_max = 64 * 1024;  // beyond: a shorter list, at least one
inline constexpr std::uint16_t snapshot_parts_max = 1'024;         // beyond: invalid_frame
inline constexpr int json_depth_max = 32;                          // beyond: malformed_json
inline constexpr std::uint64_t id_max = (std::uint64_t{1} << 53) - 1;

struct limits {
    // One message from a client, in bytes; beyond: skipped and answered by too_large.
    std::uint32_t message_bytes_max = 64 * 1024;
    // Subscriptions of one connection; beyond: too_many_channels.
    std::uint32_t channels_per_connection_max = 128;
    // Requests in flight of one connection; beyond: too_many_requests. Also the requests of other clients
    // that it has not answered yet; beyond: overloaded.
    std::uint32_t requests_per_connection_max = 64;
    // Commands of one connection per second on average, twice as many at once; beyond: rate_limited. After as
    // many refusals the connection is not read for a second, and after ten such rests in a row it is closed
    // with 1008. 0: no limit.
    std::uint32_t commands_per_second = 1'000;
    // From the opening of a connection to its connect frame; beyond: close 4002.
    std::uint32_t connect_timeout_ms = 10'000;
    // Silence after which the server pings, and the time that it then waits
    // for an answer; beyond: close 4001.
    std::uint32_t ping_ms = 25'000;
    std::uint32_t pong_ms = 8'000;
    // Deadline of a request that names none, and the longest that it may name (longer ones are cut to it).
    std::uint32_t request_timeout_ms = 10'000;
    std::uint32_t request_timeout_max_ms = 120'000;
    // Publications replayed by one subscribe, and returned by one history page;
    // beyond: recovered false, reason limit.
    std::uint32_t recovery_max = 300;
    // Without the permission to read history, a position recovers what was published in the last
    // milliseconds; beyond: recovered false, reason forbidden.
    std::uint32_t recover_ms = 120'000;
    // The info that a session shows in presence, in bytes; beyond: too_large.
    std::uint32_t presence_info_bytes_max = 1'024;
    // From the last connection's end to the leave event.
    std::uint32_t presence_leave_ms = 3'000;
    // Sessions listed in one channel's presence; beyond: the address with the most makes room for one with
    // fewer, and otherwise the session is subscribed, but not listed.
    std::uint32_t presence_members_max = 1'000;
    // The time for which a publish key is remembered, and the number of keys per shard; beyond: the oldest
    // keys of the publisher with the most are forgotten.
    std::uint32_t idempotency_ms = 5 * 60'000;
    std::uint32_t idempotency_keys_max = 100'000;
    // All channels of the process with their histories, in bytes; beyond: the least recently used
    // channel forgets its oldest publications (a later recovery gets the reason `expired`), and when
    // nothing is left to forget, a new channel is refused with overloaded. 0: a quarter of the
    // memory that the process may use.
    std::uint64_t history_bytes_total_max = 0;
    // Channels that one shard keeps a log for; beyond: the one that nobody has used for longest is forgotten,
    // and when all have subscribers a new one is refused with overloaded.
    std::uint32_t channels_max = 1'000'000;
    // A channel that had publications, and has neither publications nor subscribers now, is forgotten after
    // this time; it then begins under a new epoch.
    std::uint32_t channel_idle_ms = 60 * 60'000;
    // Publications of one shard on their way to the disk, in bytes; beyond: overloaded.
    std::uint32_t storage_queue_bytes_max = 32 << 20;
};

// The failures that an acknowledged publication of a namespace survives (protocol 1.4).
enum class durability : std::uint8_t {
    automatic,  // broker where there is one, otherwise disk if the server has a data folder, otherwise memory
    memory,     // everything but the end of the process
    disk,       // the end of the process and of the machine's power: acknowledged after an fsync
    broker,     // the loss of any node: acknowledged when it was read back from the shared log
};

// The fate of publications that wait for a connection which is too slow for them (protocol 5.4).
enum class slow_consumer : std::uint8_t {
    disconnect,      // close 4000 when more than queue_bytes_max waits; the client comes back and recovers
    drop_oldest,     // ... the oldest of them are dropped, and a gap marker says so
    latest_per_key,  // as soon as the connection is blocked, a newer one replaces the waiting one of its key
};
inline constexpr std::string_view slow_consumer_names[] = {"disconnect", "drop_oldest", "latest_per_key"};
constexpr std::string_view name_of(slow_consumer policy) {
    return slow_consumer_names[static_cast<std::size_t>(policy)];
}

// Options of a namespace (protocol 1.1), the same for all its channels.
struct namespace_options {
    // The bounds of a channel's history: the number, bytes and age of its
    // publications, whichever is reached first.
    std::uint32_t history_count_max = 300;
    std::uint32_t history_bytes_max = 1 << 20;
    std::uint32_t history_age_ms = 10 * 60'000;
    // Of a channel that keeps state (protocol 4.29): its newest snapshot and everything after what that
    // covers, in bytes of memory; beyond: state_full. The bounds above hold for what is older. 0: the
    // namespace keeps no state.
    std::uint32_t state_bytes_max = 0;
    // Whether that state is the newest publication of each key, and the server makes the snapshots (4.32).
    bool keyed = false;
    // Whether clients may publish, or the application and the HTTP API alone; otherwise: forbidden.
    bool client_publish = true;
    // The schemas of message types: a publish of a client or of the HTTP API that does not fit its type's is
    // refused with invalid_payload. Shared by all shards, which only read them; none: nothing is checked.
    std::shared_ptr<const schema::types> types;
    // Whether clients may publish types that the application has not declared for the channel; otherwise:
    // forbidden. A type is declared by a schema or by a handler for it.
    bool other_types = true;
    // Whether clients may ask each other (protocol 4.18); otherwise: forbidden.
    bool client_requests = false;
    // Whether presence is kept and sent; otherwise: forbidden.
    bool presence = true;
    // The permissions that nobody needs a token for, or any token (protocol 4.23). Not set: nothing where the
    // server verifies tokens, and everything elsewhere.
    access_rules allow;
    bool allow_is_set = false;
    // The operations that a program at `authorize_url` must permit as well, beside `allow` and the token
    // (protocol 4.25); with an address and no operations: subscribe and publish.
    operations authorize;
    std::string authorize_url;
    durability keeps = durability::automatic;
    // The policy for subscribers that read too slowly.
    slow_consumer slow_consumers = slow_consumer::disconnect;
};

}  // namespace pulsewire
