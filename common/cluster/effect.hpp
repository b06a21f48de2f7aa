#pragma once

// The effects of a record on a partition's state, in their order: what the nodes tell their clients.

#include "common/base/keyed_hash.hpp"
#include "common/cluster/record.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <variant>

namespace pulsewire::cluster {

// The name of a channel's stream of offsets: that of the log and the generation of the channel.
struct channel_epoch {
    fingerprint log;
    std::uint64_t generation = 0;
    friend bool operator==(const channel_epoch&, const channel_epoch&) = default;
};
// The epoch as clients know it (protocol 1.4): 16 characters, which tell nothing of the log's hash.
std::string text_of(const channel_epoch& e);

// A publication that has its place.
struct publication {
    std::uint64_t offset = 0;
    std::int64_t time_ms = 0;    // wall clock, which never runs back in a channel
    std::int64_t log_ms = 0;     // log time
    std::uint64_t renewals = 0;  // of the epochs, before it was published
    std::string bytes;           // of its publish_op
    // Views into `bytes`.
    publish_op view() const;
    std::string_view channel() const { return channel_of_publish(bytes); }
};
// Shared, because a history, several recoveries and many subscribers have it at once.
using publication_ptr = std::shared_ptr<const publication>;

enum class refusal : std::uint8_t {
    too_late,        // the publish reached the log so late that its key may be forgotten
    key_reused,      // the key stands for another content
    full,            // no room for another channel
    no_options,      // the cluster has no options yet
    stale_snapshot,  // the channel has one that covers as much
    snapshot_of_another_log,
    conflict,       // the key has changed since the offset that was asked for
    state_full,     // no room behind the newest snapshot
    not_there_yet,  // the channel has no offset as high as the snapshot covers
};

// The outcome of an operation of the record; `operation` is its index there.
struct published {
    std::uint32_t operation = 0;
    channel_epoch epoch;
    publication_ptr what;
};
struct repeated {  // was published before, at that offset
    std::uint32_t operation = 0;
    channel_epoch epoch;
    std::uint64_t offset = 0;
};
struct refused {
    std::uint32_t operation = 0;
    refusal why = refusal::too_late;
    std::uint64_t offset = 0;  // conflict: of the newest publication of the key; 0: there is none
};
// A transient publish: it has no offset, and its time is that of the log.
struct passed {
    std::uint32_t operation = 0;
    publication_ptr what;
};
// A node said something to this node, or to all.
struct noted {
    std::uint32_t operation = 0;
    process_id from = 0;
    process_id to = 0;  // 0: all
    std::string bytes;
};

// What others see of a session.
struct shown_member {
    std::string info;
    std::string user;
    std::string user_info;
    friend bool operator==(const shown_member&, const shown_member&) = default;
};
struct member_came {  // or shows something else
    std::string channel;
    std::string session;
    shown_member as;
};
struct member_gone {
    std::string channel;
    std::string session;
};

struct channel_forgotten {
    std::string channel;
    channel_epoch epoch;
};

enum class renewal : std::uint8_t {
    lost,       // a hello proves that its writer read what the log has no more
    record,     // ... another record does
    untrusted,  // a new connection to a broker that may have lost its tail
};
// The epochs of all channels have new names. Heads, histories, keys and members are as they were.
struct renewed {
    fingerprint before;
    std::uint64_t renewals = 0;  // this one included
    renewal why = renewal::lost;
};
struct process_ended {
    process_id process = 0;
};
// The writer of the record has another state at the same place of the same log.
struct digest_differs {
    process_id process = 0;
    bool at_checkpoint = false;  // which is whole now: who begins anew will have the writer's state
};

using effect = std::variant<
    published, repeated, refused, passed, noted, member_came, member_gone, channel_forgotten, renewed,
    process_ended, digest_differs>;

}  // namespace pulsewire::cluster
