#pragma once

// The publish keys of the last minutes, so that repeating a publish has no second effect (docs/protocol.md
// 4.9). A key stands for the content that was published with it, so another content under a known key is
// recognised and never taken for a repetition.

#include "common/base/keyed_hash.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <unordered_map>

namespace pulsewire::hub {

class idempotency_window {
public:
    // Remembers each key for `window_ms`, and at most `keys_max` keys. Beyond that, the publisher with the
    // most keys loses its oldest, so nobody can make the server forget the keys of others without losing more
    // keys of his own. `secret` is unknown outside.
    idempotency_window(std::int64_t window_ms, std::size_t keys_max, const hash_key& secret)
        : window_ms_(window_ms), keys_max_(keys_max), secret_(secret) {}

    struct known {
        std::uint64_t offset = 0;   // the offset that the key got; never 0
        std::uint64_t content = 0;  // a hash of the content published with it; 0: unknown
        // Whether this content was published with the key; an unknown one matches any.
        bool is(std::uint64_t other) const { return content == 0 || content == other; }
    };
    // The offset and content of `key` in `channel` under `epoch`; nothing when the key is not known.
    std::optional<known> find(
        std::string_view channel, std::string_view epoch, std::string_view key, std::int64_t now_ms
    );
    // `publisher` is the one whose share the key counts against. A known key stays as it is.
    void remember(
        std::string_view channel, std::string_view epoch, std::string_view key, const known& what,
        std::uint64_t publisher, std::int64_t now_ms
    );
    // The same in two steps, for whoever looks for a key and then remembers it (restore()): it is hashed
    // once.
    fingerprint id_of(std::string_view channel, std::string_view epoch, std::string_view key) const;
    std::optional<known> find(const fingerprint& id, std::int64_t now_ms);
    // Forgets keys that are too old.
    void trim(std::int64_t now_ms);
    // Calls `key(id, what, publisher, at_ms)` for each key, oldest first. Another window with the same secret
    // that is given them by restore() in this order behaves the same.
    template <class Key>
    void each(Key&& key) const {
        for (const entry* e = oldest_; e != nullptr; e = e->younger)
            key(*e->id, e->what, e->publisher, e->at_ms);
    }
    void restore(const fingerprint& id, const known& what, std::uint64_t publisher, std::int64_t at_ms);
    std::size_t size() const { return entries_.size(); }

private:
    struct entry {
        const fingerprint* id = nullptr;  // its key in entries_
        known what;
        std::uint64_t publisher = 0;
        std::int64_t at_ms = 0;
        std::uint64_t number = 0;            // counts up: the older of two entries has the smaller number
        entry* next_of_publisher = nullptr;  // the next younger entry
        entry* older = nullptr;              // its neighbours among all entries
        entry* younger = nullptr;
    };
    // The keys of one publisher, oldest first.
    struct share {
        entry* oldest = nullptr;
        entry* newest = nullptr;
        std::size_t count = 0;
    };
    // A fingerprint is already a keyed hash, so half of it serves as the hash.
    struct first_half {
        std::size_t operator()(const fingerprint& f) const { return static_cast<std::size_t>(f.first); }
    };

    void forget_oldest_of(std::unordered_map<std::uint64_t, share>::iterator of);
    void make_room();

    std::int64_t window_ms_;
    std::size_t keys_max_;
    hash_key secret_;
    std::uint64_t last_number_ = 0;
    std::unordered_map<fingerprint, entry, first_half> entries_;
    entry* oldest_ = nullptr;
    entry* newest_ = nullptr;
    std::unordered_map<std::uint64_t, share>
        // By publisher, which is a keyed hash or a number of our own: a plain hash is safe.
        shares_;
};

}  // namespace pulsewire::hub
