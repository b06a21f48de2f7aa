#pragma once

// The channels of a partition as its log makes them: heads, histories, keys, members, generations. Nothing
// here depends on the node: no clock, no reading changes anything, and no order is that of a hash table.

#include "common/base/keyed_hash.hpp"
#include "common/channel/idempotency_window.hpp"
#include "common/channel/keyed.hpp"
#include "common/channel/snapshots.hpp"
#include "common/cluster/bytes.hpp"
#include "common/cluster/effect.hpp"
#include "common/cluster/record.hpp"
#include "common/cluster/shared_options.hpp"

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace pulsewire::cluster {

// One subscription that lists its session. A part removes only its own.
struct member_id {
    std::string session;
    process_id process = 0;
    std::uint64_t token = 0;
    // Not auto: the library of WebAssembly compares strings by < and == alone.
    friend std::strong_ordering operator<=>(const member_id&, const member_id&) = default;
};

struct listed_member : shown_member {
    std::uint64_t source = 0;  // of its join
    std::uint64_t number = 0;  // counts those of the channel in the order of the log
};

class shared_channel {
public:
    const std::string& name() const { return name_; }
    std::uint64_t generation() const { return generation_; }
    // Offset of the newest publication; 0 before the first.
    std::uint64_t head() const { return head_; }
    // Offset of the oldest that is kept; head() + 1 when none is.
    std::uint64_t oldest() const { return head_ + 1 - kept(); }
    // ... among those that were published at this log time or later.
    std::uint64_t oldest_since(std::int64_t log_ms) const {
        std::uint64_t o = oldest();
        while (o <= head_ && may_go(o) && at(o)->log_ms < log_ms) ++o;
        return o;
    }
    // --- state (protocol 4.29), as in hub::channel_log ---
    bool keeps_state() const { return snapshots_ != nullptr; }
    std::uint64_t covers() const { return keeps_state() ? snapshots_->covers() : 0; }
    const std::vector<std::uint64_t>& snapshot_parts() const { return snapshots_->parts(); }
    std::uint64_t tail_bytes() const { return tail_bytes_; }
    std::uint64_t snapshot_bytes() const;
    std::uint64_t bytes_behind(const snapshot_view& s) const;

    // Precondition: oldest() <= offset <= head().
    const publication_ptr& at(std::uint64_t offset) const {
        return history_[first_ + static_cast<std::size_t>(offset - oldest())];
    }
    const std::map<member_id, listed_member>& members() const { return members_; }

private:
    friend class shared_channels;
    std::size_t kept() const { return history_.size() - first_; }
    bool may_go(std::uint64_t offset) const { return !keeps_state() || offset <= covers(); }
    // Of a keyed one: the offset of the newest publication of the key; 0: there is none.
    std::uint64_t newest_of(std::string_view key);
    void keep_state() { snapshots_ = std::make_unique<hub::snapshots>(); }
    // The newest publication is this.
    void count(const publication& newest, const snapshot_view& s);
    template <class Predicate>
    std::uint64_t sum_behind(std::uint64_t offset, Predicate is_state) const;
    std::uint64_t sum_of_tail() const;
    void leave_mark(std::uint64_t offset);
    // About the memory that it takes.
    std::uint64_t bytes() const {
        return overhead_bytes + 2 * name_.size() + history_bytes_ + kept() * entry_bytes;
    }
    void drop_oldest();
    void write(byte_writer& w) const;
    // False when the bytes are not those of a channel.
    bool read(byte_reader& r, const shared_options& options);
    // Whether another session than those that are listed would be one too many.
    bool lists(std::string_view session) const;

    static constexpr std::uint64_t overhead_bytes = 512;
    static constexpr std::uint64_t entry_bytes = 128;

    std::string name_;
    std::uint64_t generation_ = 0;
    std::uint64_t head_ = 0;
    std::int64_t last_time_ms_ = 0;  // of the newest publication
    std::int64_t used_ms_ = 0;       // log time of the last publish or change of members
    std::vector<publication_ptr> history_;
    std::size_t first_ = 0;  // entries before it are dropped already
    std::uint64_t history_bytes_ = 0;
    std::unique_ptr<hub::snapshots> snapshots_;  // null: the namespace keeps no state
    std::uint64_t tail_bytes_ = 0;
    // Null until somebody asks. It is made of the publications, so no image has it.
    std::unique_ptr<hub::key_index> keys_;
    std::map<member_id, listed_member> members_;
    std::uint64_t last_member_ = 0;              // number of the newest
    std::size_t sessions_ = 0;                   // listed
    std::list<shared_channel>::iterator place_;  // in shared_channels::list_of(*this)
};

// The log as it is called at a record: its epoch, and how often that was renewed before.
struct log_name {
    fingerprint epoch;
    std::uint64_t renewals = 0;
};

class shared_channels {
public:
    // `local` hashes names in this node's table alone.
    explicit shared_channels(const hash_key& local) : by_name_(16, name_hash(local)) {}
    shared_channels(const shared_channels&) = delete;
    shared_channels& operator=(const shared_channels&) = delete;

    // Once, before any operation.
    void set_options(const shared_options& o);
    const std::optional<shared_options>& options() const { return options_; }

    // `log_ms` is the log's time at the record, `time_ms` what people see as the time of a publication.
    void publish(
        const publish_op& p, std::uint32_t index, const log_name& log, std::int64_t log_ms,
        std::int64_t time_ms, std::vector<effect>& effects
    );
    void join(process_id by, const join_op& j, std::int64_t log_ms, std::vector<effect>& effects);
    void part(process_id by, const part_op& p, std::int64_t log_ms, std::vector<effect>& effects);
    // All members of a process.
    void part_all(process_id by, std::int64_t log_ms, std::vector<effect>& effects);
    // Keys and channels that are too old.
    void forget_old(const fingerprint& log_epoch, std::int64_t log_ms, std::vector<effect>& effects);

    // Null when nobody published to it and nobody is there. Valid until the next record.
    const shared_channel* find(std::string_view channel) const;
    // Of the channel, be it there or not.
    std::uint64_t generation_of(std::string_view channel) const;
    std::size_t size() const { return by_name_.size(); }
    // Calls `channel(c)` for each, in an order that all nodes have.
    template <class Channel>
    void each(Channel&& channel) const {
        for (const shared_channel& c : keeping_) channel(c);
        for (const shared_channel& c : stateful_) channel(c);
        for (const shared_channel& c : bare_) channel(c);
    }

    void write(byte_writer& w) const;
    bool read(byte_reader& r);

private:
    static constexpr std::size_t buckets = 256;

    std::size_t bucket_of(std::string_view channel) const;
    shared_channel* make(std::string_view channel, std::int64_t log_ms);
    void use(shared_channel& c, std::int64_t log_ms);
    void forget_idle(
        std::list<shared_channel>& among, const fingerprint& log_epoch, std::int64_t log_ms,
        std::vector<effect>& effects
    );
    std::list<shared_channel>& list_of(const shared_channel& c) {
        return c.kept() == 0 ? bare_ : c.keeps_state() ? stateful_ : keeping_;
    }
    std::optional<refusal> refused_for_state(const shared_channel& c, const publish_op& p) const;
    void append(shared_channel& c, publication_ptr what, const snapshot_view& s);
    void trim(shared_channel& c, std::int64_t log_ms);
    void drop_oldest(shared_channel& c);
    void remove_member(
        shared_channel& c, std::map<member_id, listed_member>::iterator m, std::vector<effect>& effects
    );
    bool make_room(shared_channel& c, std::uint64_t source, std::vector<effect>& effects);

    std::optional<shared_options> options_;
    // Counts the channels of a bucket of names that were forgotten after publications: the next channel of
    // that name has another epoch.
    std::array<std::uint64_t, buckets> generations_{};
    // Least recently used first: the channels that keep something, which may have to give it up for others,
    // those that keep a state, which nobody takes from them, and those that keep nothing.
    std::list<shared_channel> keeping_;
    std::list<shared_channel> stateful_;
    std::list<shared_channel> bare_;
    std::unordered_map<std::string_view, shared_channel*, name_hash> by_name_;
    std::optional<hub::idempotency_window> keys_;
    std::uint64_t bytes_ = 0;  // of all channels
};

}  // namespace pulsewire::cluster
