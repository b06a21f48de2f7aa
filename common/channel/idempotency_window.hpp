#pragma once

// The publish keys seen lately, so that repeating a publish has no second effect (docs/protocol.md 4.9). A
// key stands for the content that was published with it: another content under a known key is recognised, and
// so is never taken for the one that was looked at before.

#include "common/base/keyed_hash.hpp"

#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <string_view>
#include <unordered_map>

namespace pulsewire::hub {

class idempotency_window {
public:
    // Remembers each key for `window_ms`, and at most `keys_max` keys: beyond, the publisher that holds the
    // most loses its oldest ones. So nobody can have a stranger's keys forgotten without giving up more of
    // his own. `secret` is unknown outside.
    idempotency_window(std::int64_t window_ms, std::size_t keys_max, const hash_key& secret)
        : window_ms_(window_ms), keys_max_(keys_max), secret_(secret) {}

    struct known {
        std::uint64_t offset = 0;   // that the key got; never 0
        std::uint64_t content = 0;  // a hash of what was published with it; 0: not known any more
        // Whether this is what was published with the key.
        bool is(std::uint64_t other) const { return content == 0 || content == other; }
    };
    // What `key` got in `channel` under `epoch`; nothing when it is not known.
    std::optional<known> find(
        std::string_view channel, std::string_view epoch, std::string_view key, std::int64_t now_ms
    );
    // `publisher` tells whose share the key counts against. A key that is known stays as it is.
    void remember(
        std::string_view channel, std::string_view epoch, std::string_view key, const known& what,
        std::uint64_t publisher, std::int64_t now_ms
    );
    // Forgets what is too old.
    void trim(std::int64_t now_ms);
    std::size_t size() const { return entries_.size(); }

private:
    struct entry {
        fingerprint id;
        known what;
        std::uint64_t publisher = 0;
        std::int64_t at_ms = 0;
        std::uint64_t number = 0;            // counts up: of two entries the older one has the smaller
        entry* next_of_publisher = nullptr;  // the next younger one
        std::list<entry>::iterator self;     // in by_age_
    };
    // The keys of one publisher, oldest first.
    struct share {
        entry* oldest = nullptr;
        entry* newest = nullptr;
        std::size_t count = 0;
    };
    // A fingerprint is a hash already.
    struct first_half {
        std::size_t operator()(const fingerprint& f) const { return static_cast<std::size_t>(f.first); }
    };

    fingerprint fingerprint_of(std::string_view channel, std::string_view epoch, std::string_view key) const;
    void forget_oldest_of(std::unordered_map<std::uint64_t, share>::iterator of);
    void make_room();

    std::int64_t window_ms_;
    std::size_t keys_max_;
    hash_key secret_;
    std::uint64_t last_number_ = 0;
    std::list<entry> by_age_;
    std::unordered_map<fingerprint, entry*, first_half> entries_;
    std::unordered_map<std::uint64_t, share>
        shares_;  // by publisher, which is a keyed hash or our own number
};

}  // namespace pulsewire::hub
